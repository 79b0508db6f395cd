console-sign-in-title = 登录 – Identity Center 控制台
console-for = 供管理员使用：管理账号的主账号或 CAM 用户。
sign-in = 登录
console-portal = 要访问您的账号？请使用企业提供给您的用户门户地址。
console-no-space = 您的企业尚未开通身份中心。
console-open-it = 前往开通
console-account = 管理账号
console-account-hint = 账号 ID（数字）。
console-password = 密码
console-need-policy = 修改任何内容都需要策略 { $policy }。
console-refused = 这些信息无法登录控制台。多次输错密码后，登录会暂停一段时间。

# 两位管理员同时编辑。
conflict-title = 此内容已被他人修改
conflict-about = 您的修改尚未保存。请对比两个版本：可以在当前内容的基础上继续编辑，也可以用您的版本覆盖。
conflict-field = 字段
conflict-now = 当前内容
conflict-yours = 您填写的内容
conflict-differs = 不一致
conflict-take-theirs = 在当前内容上继续编辑
conflict-take-yours = 用我的版本覆盖
