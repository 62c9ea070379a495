"""What the notices say, in English and in Chinese."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.notices.settings import Event, Language


@dataclass(frozen=True)
class Words:
    """A language's labels, and for each event its headline and the first thing to do."""

    line: str
    version: str
    environment: str
    who: str
    until: str
    outcome: str
    next: str
    reminder: str
    events: Mapping[Event, tuple[str, str]]


WORDS: Mapping[Language, Words] = {
    "en": Words(
        line="{}: {}",
        version="Version",
        environment="Environment",
        who="By",
        until="Answer by",
        outcome="Outcome",
        next="Next",
        reminder="{} (reminder {})",
        events={
            "started": ("Release started", "Nothing; you are told how it ends."),
            "waiting": (
                "Waiting for you",
                "Read the plan and answer. Whoever asked for it cannot approve it.",
            ),
            "done": ("Done", "Nothing."),
            "restored": (
                "Restored",
                "The old version serves again. Find the cause before the next release.",
            ),
            "refused": ("Refused", "Nothing was changed. Resolve the objection, release again."),
            "halted": (
                "Halted, a person is needed",
                "Look at the run now: restoring did not work either, the old version serves.",
            ),
            "failed": ("A run failed", "Look at the run: its last error says what is missing."),
            "nightly": ("Nightly summary", "Read the report."),
            "stopped": ("Stopped by a person", "Nothing moves until somebody lets it go on."),
            "contract": (
                "A channel's API changes",
                "Read the list; accept what the clients are ready for.",
            ),
            "hotfix": ("Hotfix under way", "Nothing now; review it afterwards."),
            "weekly": ("Weekly report", "Read the report."),
        },
    ),
    "zh": Words(
        line="{}：{}",
        version="版本",
        environment="环境",
        who="发起人",
        until="截止时间",
        outcome="结果",
        next="下一步",
        reminder="{}（第 {} 次提醒）",
        events={
            "started": ("发布开始", "无需操作，结束后会再通知。"),
            "waiting": ("等待您审批", "请阅读变更计划并作出决定；申请人不能批准自己的变更。"),
            "done": ("已完成", "无需操作。"),
            "restored": ("已自动退回", "旧版本已恢复服务。再次发布之前，请先查明原因。"),
            "refused": ("已拒绝", "什么都没有动。请先解决上述问题，再重新发布。"),
            "halted": (
                "已中止，需要人工处理",
                "请立即查看这次运行：退回也没有成功，旧版本仍在服务。",
            ),
            "failed": ("运行失败", "请查看这次运行，最后一条错误说明了原因。"),
            "nightly": ("夜间发布小结", "请查看报告。"),
            "stopped": ("已由人工停止", "在有人放行之前，不会再有任何变更。"),
            "contract": ("平台 API 有变化", "请查看清单；客户端准备好之后再接受。"),
            "hotfix": ("正在紧急修复", "目前无需操作，事后请补做评审。"),
            "weekly": ("每周报告", "请查看报告。"),
        },
    ),
}
