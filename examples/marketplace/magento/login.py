"""An administrator's token, good for four hours."""

from examples.marketplace.magento.operation import Asked, Operation, Problem
from examples.marketplace.market import Market

CLIENT = {"username": "demo-admin", "password": "demo-password"}
WRONG = (
    "The account sign-in was incorrect or your account is disabled temporarily."
    " Please wait and try again later."
)


def token(market: Market, asked: Asked) -> str:
    given = {name: asked.entity(name) for name in CLIENT}
    if given != CLIENT:
        raise Problem(401, WRONG)
    return market.issued("eyJraWQi.demo.")


OPERATIONS = (Operation("POST", "/integration/admin/token", "", token),)
