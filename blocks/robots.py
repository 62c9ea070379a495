"""Group robots of DingTalk, Feishu, Lark and WeCom, where apprise does not say or ask enough.

They answer 200 whatever they think of a message: whether they took it stands in the answer's body.
Signatures: https://open.dingtalk.com/document/robots/customize-robot-security-settings and
https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from apprise.plugins import NotifyBase
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.wecombot import NotifyWeComBot

from domain.notices.messages import Message, markdown_of, text_of


@dataclass(frozen=True)
class Call:
    """What is posted where; ``query`` is added to the address."""

    address: str
    content: Mapping[str, Any]
    query: Mapping[str, str] = field(default_factory=dict)


Robot = Callable[[Any, Message], Call]
"""What a robot of apprise's is sent; its attributes are the parts of its address."""


def post(robot: Robot, chat: NotifyBase, message: Message) -> int:
    """0 when the robot took the message, else its code, or HTTP's, or -1 for another shape.

    Raises requests.RequestException when it does not answer.
    """
    call = robot(chat, message)
    answer = requests.post(
        call.address,
        params=call.query,
        json=call.content,
        timeout=chat.request_timeout,
        verify=chat.verify_certificate,
        allow_redirects=False,
    )
    return answer.status_code if answer.status_code != requests.codes.ok else _code(answer)


def _code(answer: requests.Response) -> int:
    try:
        said = answer.json()
        return int(said["errcode"] if "errcode" in said else said["code"])
    except (ValueError, TypeError, KeyError):
        return -1


def _dingtalk(chat: Any, message: Message) -> Call:
    """``dingtalk://[secret@]token``"""
    text = f"### {message.title}\n\n{markdown_of(message)}"
    content = {"msgtype": "markdown", "markdown": {"title": message.title, "text": text}}
    address = chat.notify_url.format(token=chat.token)
    if not chat.secret:
        return Call(address, content)
    stamp = str(round(time.time() * 1000))
    sign = _signed(chat.secret, f"{stamp}\n{chat.secret}")
    return Call(address, content, {"timestamp": stamp, "sign": sign})


def _feishu(chat: Any, message: Message) -> Call:
    """``feishu://[secret@]token``"""
    return Call(chat.notify_url.format(token=chat.token).rstrip("/"), _feishu_text(chat, message))


def _lark(chat: Any, message: Message) -> Call:
    """``lark://[secret@]token``: the same robot outside of China."""
    return Call(chat.webhook_url, _feishu_text(chat, message))


def _feishu_text(chat: Any, message: Message) -> Mapping[str, Any]:
    """With a secret, a signature over nothing stands beside the text."""
    content = {"msg_type": "text", "content": {"text": _text(message)}}
    if not chat.user:
        return content
    stamp = str(round(time.time()))
    return {"timestamp": stamp, "sign": _signed(f"{stamp}\n{chat.user}", ""), **content}


def _wecom(chat: Any, message: Message) -> Call:
    """``wecombot://key``"""
    return Call(chat.api_url, {"msgtype": "text", "text": {"content": _text(message)}})


ROBOTS: Mapping[type[NotifyBase], Robot] = {
    NotifyDingTalk: _dingtalk,
    NotifyFeishu: _feishu,
    NotifyLark: _lark,
    NotifyWeComBot: _wecom,
}


def _text(message: Message) -> str:
    return f"{message.title}\n{text_of(message)}"


def _signed(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
