# 许多页面共用的文字：框架、列表、表单、按钮。

skip-to-content = 跳到正文
menu = 菜单
console = 控制台
may-look-only = 只读
sign-out = 退出登录
sign-in-again = 重新登录
to-the-overview = 前往概览
go-on = 继续
i-have-it = 我已保存

menu-users = 用户管理
menu-cam = CAM 同步
menu-settings = 设置

# 列表
all = 全部
search = 搜索
in-all = 共 { $count } 条
first-page = 第一页
next-page = 下一页
actions = 操作
state = 状态
status = 状态
last-delivery = 上次投递
none-yet = 暂无

# 表单
optional = （选填）
one-field-wrong = 未保存：有一项填写不正确。
cancel = 取消
keep = 保留
save = 保存
delete = 删除
delete-ask = 删除…
replace = 替换
enable = 启用
disable = 禁用
copy = 复制
copied = 已复制
steps = 步骤
settings = 设置

# 证书与密钥
certificate-key = 密钥
certificate-serial = 序列号
certificate-issuer = 颁发者
certificate-version = 版本
certificate-algorithm = 签名算法
certificate-fingerprint = SHA-256 指纹
valid-from = 生效时间
valid-until = 失效时间
expired = 已过期
days-left = 剩余 { $days } 天
ended-on = 已于此时失效：
ends-today = 将在一天内失效：
ends-in = 将在 { $days } 天后失效：

# 传送中的 SAML 消息
signing-in = 正在登录
being-taken-to = 正在前往{ $destination }。
signing-out = 正在退出登录
signing-out-there-too = 正在前往您企业的登录系统，以便在那里一并退出。
back-to-the-form = 返回表单
to-the-portal = 前往用户门户
language = 语言
theme = 外观
theme-system = 跟随系统
theme-light = 浅色
theme-dark = 深色
turn-off = 停用
turn-on = 启用
turn-off-ask = 停用…
turn-on-ask = 启用…
on = 已启用
off = 已停用
keep-on = 保持启用
keep-off = 保持停用
remove = 移除
remove-ask = 移除…
add = 添加
details = 详情
more = 更多
change = 修改
time = 时间
name = 名称
outcome = 结果
latest-first = 最新的在前
never = 从未
certificate-subject = 主体
back = 返回
continue = 继续
review = 检查
created = 创建时间
expires = 失效时间
refresh = 刷新
try-again = 重试
reason = 原因
before = 变更前
after = 变更后
progress = 进度
nothing = 无。
leave-it-off = 保持停用
