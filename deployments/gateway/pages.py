"""The gateway's own pages: signing in and out, and who one is."""

from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from deployments.gateway.bodies import form_of
from deployments.gateway.identity import address, gate_of, signed
from deployments.gateway.paths import local
from deployments.gateway.words import language, words
from domain.access.people import Session, Signed
from domain.access.roles import PERMISSIONS
from domain.errors import Refused, TradewindError

FOLDER = Path(__file__).parent
TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
)

router = APIRouter(prefix="/gate")
Who = Annotated[Signed, Depends(signed)]


def shown(request: Request, template: str, status: int = 200, **values: object) -> Response:
    """A page in the browser's language, with a token for its forms."""
    gate, said = gate_of(request), words(request.headers.get("accept-language", ""))
    browser = request.cookies.get(gate.form_cookie) or gate.forms.browser()
    text = TEMPLATES.get_template(template).render(
        **values,
        t=said,
        language=language(request.headers.get("accept-language", "")),
        form_token=gate.forms.token(browser),
        shop=gate.behind.shop,
        oidc=gate.settings.oidc is not None,
        landing=gate.hooks.landing,
    )
    answer = HTMLResponse(text, status, headers={"cache-control": "no-store"})
    if gate.form_cookie not in request.cookies:
        gate.give(answer, gate.form_cookie, browser)
    return answer


@router.get("/health")
async def health() -> dict[str, str]:
    """Whether the gateway answers, for whoever started it."""
    return {"gateway": "answers"}


@router.get("/style.css")
async def style() -> Response:
    return FileResponse(FOLDER / "style.css", headers={"cache-control": "max-age=300"})


@router.get("/sign-in")
async def sign_in_page(request: Request) -> Response:
    wanted = local(request.query_params.get("next", ""))
    return shown(request, "sign_in.html", wanted=wanted, sentence="", name="")


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """A new session; or the form again, with one sentence, whatever was wrong."""
    gate, form = gate_of(request), await own_form(request)
    wanted, name = local(form.get("next", "")), form.get("name", "").strip()
    may_try(request)
    given = (name, form.get("password", ""), form.get("code", "").strip(), address(request))
    try:
        session = await run_in_threadpool(gate.people.signed_in, *given)
    except Refused as refusal:
        said = {"wanted": wanted, "sentence": str(refusal), "name": name[:40]}
        return shown(request, "sign_in.html", 401, **said)
    return with_session(request, session, wanted)


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """The session ends on the server, not only in this browser."""
    gate = gate_of(request)
    await own_form(request)
    cookie = request.cookies.get(gate.session_cookie, "")
    if cookie:
        await run_in_threadpool(gate.people.end_session, cookie)
    answer = RedirectResponse("/gate/sign-in", 303)
    gate.take(answer, gate.session_cookie)
    return answer


@router.get("/")
async def home(request: Request, who: Who) -> Response:
    """Who one is, what one may do, and what waits for an answer."""
    return await _home(request, who, "")


@router.post("/factor")
async def factor(request: Request, who: Who) -> Response:
    """Proves the second factor again, for a form that does not ask for it."""
    form = await own_form(request)
    may_try(request)
    proving = gate_of(request).people.fresh_factor
    try:
        who = await run_in_threadpool(proving, who.session, form.get("code", "").strip())
    except Refused as refusal:
        return await _home(request, who, str(refusal))
    return RedirectResponse("/gate/", 303)


async def _home(request: Request, who: Signed, sentence: str) -> Response:
    gate = gate_of(request)
    try:
        waiting = await gate.prefect.waiting() if who.may_anywhere("view") else []
    except TradewindError as error:
        waiting, sentence = [], str(error)
    fresh = who.factor_fresh(datetime.now(UTC), gate.settings.factor_seconds)
    allowed = [one for one in PERMISSIONS if who.may_anywhere(one)]
    said = {"who": who, "waiting": waiting, "fresh": fresh, "allowed": allowed}
    return shown(request, "home.html", 200, **said, sentence=sentence)


async def own_form(request: Request) -> dict[str, str]:
    """A form of these pages, with the token that this browser was given; else 403."""
    gate, form = gate_of(request), await form_of(request)
    browser = request.cookies.get(gate.form_cookie, "")
    if not gate.forms.fits(browser, form.get("form_token", "")):
        raise HTTPException(403, "the page was too old; go back, load it again and try once more")
    return form


def may_try(request: Request) -> None:
    """So many attempts per address; then 429, which says when to come back."""
    seconds = gate_of(request).signing_in.wait(address(request), monotonic())
    if seconds:
        raise HTTPException(
            429, f"too many attempts; again in {seconds} s", headers={"Retry-After": str(seconds)}
        )


def with_session(request: Request, session: Session, wanted: str) -> Response:
    """On to the page that was wanted, with a session that is new."""
    gate = gate_of(request)
    answer = RedirectResponse(gate.hooks.landing if wanted == "/gate/" else wanted, 303)
    gate.give(answer, gate.session_cookie, session.token)
    return answer
