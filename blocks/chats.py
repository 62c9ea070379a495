"""One message to one address in apprise's words; nothing of the address gets into logs or errors.

An address holds a chat's token. What apprise and urllib3 log while we send may repeat it: it is
read here for the reason of a failure, and goes no further.
"""

import logging
import re
from contextvars import ContextVar

import requests
from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType
from apprise.plugins import NotifyBase
from apprise.plugins.workflows import NotifyWorkflows

from blocks.robots import ROBOTS, Robot, post
from domain.notices.messages import Message, markdown_of, text_of

AWAY = "it does not answer"
NO_ADDRESS = "its address is none that apprise reads"
_ASSET = AppriseAsset(
    app_id="Tradewind", app_desc="Tradewind", app_url="", image_url_mask="", image_path_mask="",
    image_url_logo="", async_mode=False, http_redirects=False, pgp_autogen=False,
    pem_autogen=False,
)  # fmt: skip
_CODE = re.compile(r"error=(-?\d+)")
_heard: ContextVar[list[str] | None] = ContextVar("heard", default=None)


class _Withheld(logging.Filter):
    """Keeps what is logged while we send; what others log passes."""

    def filter(self, record: logging.LogRecord) -> bool:
        heard = _heard.get()
        if heard is not None:
            heard.append(record.getMessage())
        return heard is None


for _name in ("apprise", "urllib3.connectionpool"):
    logging.getLogger(_name).addFilter(_Withheld())


def deliver(address: str, message: Message) -> str:
    """ "" when the chat took the message, else why not, in a few words of ours."""
    before = _heard.set([])
    try:
        return _delivered(address, message)
    except requests.RequestException:
        return AWAY
    except Exception as error:  # a plugin's own error may repeat the address: only its kind is said
        return f"it failed with {type(error).__name__}"
    finally:
        _heard.reset(before)


def _delivered(address: str, message: Message) -> str:
    """By a chat of its own each time: apprise lets one wait before its second message."""
    chat = Apprise.instantiate(address, asset=_ASSET)
    if chat is None:
        return NO_ADDRESS
    robot = ROBOTS.get(type(chat))
    return _by_robot(robot, chat, message) if robot else _by_apprise(chat, message)


def _by_robot(robot: Robot, chat: NotifyBase, message: Message) -> str:
    code = post(robot, chat, message)
    return f"it answered with error {code}" if code else ""


def _by_apprise(chat: NotifyBase, message: Message) -> str:
    marked = _shows_markdown(chat)
    sender = Apprise(asset=_ASSET)
    sender.add(chat)
    taken = sender.notify(
        title=message.title,
        body=markdown_of(message) if marked else text_of(message),
        notify_type=NotifyType(message.level),
        body_format=NotifyFormat.MARKDOWN if marked else NotifyFormat.TEXT,
    )
    return "" if taken else _reason(" ".join(_heard.get() or ()))


def _shows_markdown(chat: NotifyBase) -> bool:
    """Mail, by way of HTML, and Teams, which joins lines; others show our lines as they are."""
    return chat.notify_format is NotifyFormat.HTML or isinstance(chat, NotifyWorkflows)


def _reason(said: str) -> str:
    """Why not, by what apprise logged of it."""
    code = _CODE.search(said)
    if code:
        return f"it answered with error {code[1]}"
    away = "connection" in said.lower() or "exception" in said.lower()
    return AWAY if away else "it did not take the message"
