"""What the pages say, in English and Chinese."""

from collections.abc import Mapping

ENGLISH: Mapping[str, str] = {
    "sign_in": "Sign in",
    "sign_out": "Sign out",
    "name": "Name",
    "password": "Password",
    "code": "One-time code",
    "code_hint": "Six digits; leave empty without a second factor",
    "with_company": "Sign in with your company's account",
    "you_are": "Signed in as",
    "you_may": "You may",
    "everywhere": "every environment",
    "every_service": "every service",
    "no_grants": "You have no role yet; an admin can give you one.",
    "waiting": "Waiting for an answer",
    "nothing_waits": "Nothing waits.",
    "prefect": "Runs and forms",
    "prefect_new": "Open Prefect",
    "prefect_old": "the older pages",
    "factor": "Second factor",
    "factor_fresh": "Proved just now.",
    "factor_stale": "Prove it before you approve.",
    "prove": "Prove",
    "home": "Home",
    "environments": "Environments",
    "nothing_serves": "Nothing serves here yet.",
    "under_way": "Under way:",
    "reason": "Reason",
    "hold": "Stop everything",
    "let_go": "Let it go on",
    "calendar": "Promotions and freezes",
    "said": "That did not work",
}
CHINESE: Mapping[str, str] = {
    "sign_in": "登录",
    "sign_out": "退出登录",
    "name": "用户名",
    "password": "密码",
    "code": "动态验证码",
    "code_hint": "六位数字；未启用两步验证则留空",
    "with_company": "使用企业账号登录",
    "you_are": "当前用户",
    "you_may": "你的权限",
    "everywhere": "所有环境",
    "every_service": "所有服务",
    "no_grants": "你还没有任何角色，请联系管理员。",
    "waiting": "等待审批",
    "nothing_waits": "暂无待办。",
    "prefect": "运行记录与表单",
    "prefect_new": "打开 Prefect",
    "prefect_old": "旧版界面",
    "factor": "两步验证",
    "factor_fresh": "刚刚已验证。",
    "factor_stale": "审批前请先验证。",
    "prove": "验证",
    "home": "首页",
    "environments": "环境",
    "nothing_serves": "尚无版本在此服务。",
    "under_way": "进行中：",
    "reason": "原因",
    "hold": "全部停止",
    "let_go": "恢复",
    "calendar": "大促与封网日历",
    "said": "操作未成功",
}


def language(accepted: str) -> str:
    """The first of the browser's languages that we have; English where there is none.

    >>> language("zh-CN,zh;q=0.9,en;q=0.8"), language("de,en;q=0.5"), language("")
    ('zh', 'en', 'en')
    """
    for one in accepted.casefold().split(","):
        if one.strip()[:2] in ("zh", "en"):
            return one.strip()[:2]
    return "en"


def words(accepted: str) -> Mapping[str, str]:
    return CHINESE if language(accepted) == "zh" else ENGLISH
