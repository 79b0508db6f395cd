# 用户门户：登录、首页、角色、凭证、会话、申请。

portal-tabs = 门户
portal-tab-roles = CAM 角色
portal-tab-users = CAM 用户
portal-tab-requests = 申请
portal-tab-sessions = 会话
portal-signed-in-until = 登录有效期至
portal-back = 返回我的账号
portal-your-accounts = 我的账号

# 首页
portal-about-users = 以 CAM 用户身份进入账号，适用于不支持角色的服务。您在其中能做什么，由该账号的管理员决定。
portal-about-roles = 以角色身份进入账号：每次一个权限，在会话有效期内有效。大多数服务都支持角色。
portal-none-roles = 您没有任何账号的角色访问权限。
portal-none-users = 您没有任何账号的 CAM 用户访问权限。
portal-none-next = 如有需要，可查看<a href="{ $href }">在此能申请的权限</a>，或联系管理员并告知您的用户名 { $user }。
portal-search-roles = 账号名称、账号 ID 或角色
portal-search-users = 账号名称、账号 ID 或 CAM 用户
portal-favourites = 收藏
portal-recent = 最近进入
portal-not-found = 您可进入的账号中，没有名称或 ID 包含“{ $search }”的。
portal-show-all = 显示全部
portal-account-id = 账号 ID
portal-roles = { $count } 个角色
portal-in-account = （{ $account }）
portal-log-in = 登录
portal-log-in-to = 以 { $role } 登录 { $account }
portal-pending = 正在配置
portal-failed = 配置失败
portal-per-session = 每次会话 { $duration }
portal-count = 共 { $count } 个账号
portal-page = 第 { $page } 页，共 { $pages } 页
portal-pages = 分页
portal-page-before = 上一页
portal-favourite = 收藏：{ $account }，{ $role }
portal-origin-direct = 直接授予
portal-origin-group = 来自用户组 { $group }
portal-done-kept = 已收藏。
portal-done-dropped = 已取消收藏。

# 角色
portal-role-in = { $account } 中的 { $role }
portal-enter = 进入
portal-role-pending = 此访问权限正在配置，请稍后再看。
portal-role-failed = 此访问权限配置失败。管理员能看到原因；如有需要请告知他们。
portal-account = 账号
portal-account-number = 账号 ID
portal-department = 部门
portal-session = 会话时长
portal-why = 权限来源
portal-link = 本页链接
portal-the-link = 本页链接
portal-command-line = 命令行
portal-other-cloud = 此账号在另一个云上，我们无法提供其凭证。请登录后在那里获取。
portal-credentials-about = 此角色的临时凭证，供终端和程序使用。每次重新生成，只显示一次。在失效之前，持有者即等同于您本人。
portal-show-credentials = 显示凭证
portal-no-credentials = 管理员未允许此角色使用命令行凭证。

# 凭证
portal-credentials = 临时凭证
portal-credentials-left = 有效期还剩{ $left }，至 { $at } UTC，或至您的权限终止为止。仅显示这一次。持有者即等同于您本人。
portal-snippet-bash = macOS 和 Linux（bash、zsh）
portal-snippet-bash-hint = 粘贴到终端。
portal-snippet-powershell = Windows PowerShell
portal-snippet-cmd = Windows 命令提示符
portal-snippet-window-hint = 粘贴到窗口。
portal-snippet-env = env 文件
portal-snippet-env-hint = 供容器及读取此类文件的工具使用。请勿提交到版本库。
portal-snippet-file = tccli 配置文件
portal-snippet-file-hint = 保存为 ~/.tccli/default.credential，供 tccli 和 SDK 使用。
portal-snippet-json = JSON（credential_process）
portal-snippet-json-hint = 即凭证进程的输出。
portal-left-moment = 不到一分钟
portal-left-minutes = { $count } 分钟
portal-left-hours = { $count } 小时
portal-left-hours-minutes = { $hours } { $minutes }
portal-left-days = { $count } 天

# 会话
portal-your-sessions = 我的会话
portal-where = 登录位置
portal-end-others = 结束其他全部会话
portal-browser = 浏览器
portal-address = 地址
portal-began = 开始时间
portal-used = 最近使用
portal-ends = 结束时间
portal-unknown = 未知
portal-this-one = 当前会话
portal-end = 结束
portal-end-which = 开始于 { $at } 的会话
portal-open-accounts = 已打开的账号
portal-open-none = 您当前未以角色身份进入任何账号。
portal-open-about = 在此退出登录后它们仍然有效，直至各自到期。如果您的权限终止，它们也随之终止。
portal-role = 角色
portal-in-left = { $left }后
portal-done-ended = 已结束。
portal-done-others = 现在仅在此处保持登录。

# 登录与退出
portal-login-about = 通过您组织的统一登录进入云上账号。
portal-sign-in = 使用组织账号登录
portal-sign-in-page = 登录
portal-not-ready = 此处尚未配置登录，请联系管理员。
portal-confirm-as = 以 { $name } 的身份登录？
portal-confirm-about = 您公司的登录系统以 <strong>{ $user }</strong> 的身份将您带到此处。如果这不是您，或您并未主动前来，请不要继续。
portal-confirm-yes = 以 { $user } 的身份继续
portal-confirm-no = 不登录
portal-signed-out-page = 已退出登录
portal-ended = 您组织的登录系统所结束的会话，在此也已结束。其他窗口中打开的账号在其会话到期前仍保持打开。
portal-out = 您已退出登录
portal-out-partly = 您并未在所有位置退出登录
portal-out-here = 您仅在此处退出了登录
portal-out-here-about = 您在此处的所有会话（包括其他浏览器中的）均已结束。您组织的登录系统可能仍保持您的登录状态：请在那里也退出登录，或关闭浏览器。
portal-out-complete = 您已在此处及您组织的登录系统退出登录。
portal-out-partial = 您已在此处退出登录。您组织的登录系统未能结束您的全部其他会话：由它登录的应用可能仍处于打开状态。请逐一退出，或关闭浏览器。
portal-out-failed = 您组织的登录系统未让您退出登录：下一个使用此浏览器的人可能无需密码即可进入。请在那里退出登录，或关闭浏览器。
portal-out-pending = 您组织的登录系统尚未确认您已退出登录：下一个使用此浏览器的人可能无需密码即可进入。请在那里退出登录，或关闭浏览器。
portal-out-unknown = 此次退出登录是在另一个浏览器中发起的，或早已完成。
portal-stay-open = 仍保持打开的账号
portal-stay-open-about = 直至各自到期，或至您的权限终止。如果他人也使用此浏览器，请关闭这些窗口。
portal-stay-open-until = { $role }，至 { $at } UTC
portal-none-open = 由此进入的角色均已不再打开。

# 命令行
portal-line-ask = 允许命令行以您的身份操作？
portal-line-who = 终端中的一个程序请求以 <strong>{ $user }</strong> 的身份进入您的账号，并拥有您的全部角色。
portal-line-mark = 您终端中的地址以 <strong><code id="mark">{ $mark }</code></strong> 结尾。
portal-line-warn = 如果不是这样结尾，或您刚才并未执行 <code>tccli sso login</code>，请拒绝：有人想获取您的权限。
portal-line-yes = 是，这是我的
portal-line-no = 否
portal-line-ends = 在您于此处退出登录时失效，或于 { $at } UTC 自动失效。
portal-line-on = 请回到终端继续
portal-line-refused = 已拒绝该命令行
portal-line-on-about = 从现在起该命令行以您的身份操作。您可以关闭此页面。如需终止，请退出门户登录。
portal-line-refused-about = 它未获得任何权限。如果不是您启动的，请告知管理员有人引导您来到此处。
portal-line-incomplete = 命令行给出的地址不完整，请复制完整地址。
portal-line-answered = 此请求之前已答复。请在命令行重新开始。

# 申请
portal-requests = 访问申请
portal-requests-none = 此处没有您可以申请的权限。
portal-requests-who = 谁可以申请什么，由管理员决定。
portal-requests-ask = 申请一段时间的访问权限
portal-requests-about = 由管理员审批。批准后立即生效，到期自动结束。
portal-requests-wanted = 账号和角色
portal-requests-for = 时长
portal-requests-why = 原因
portal-requests-submit = 提交申请
portal-requests-asked = 我的申请
portal-requests-access = 访问权限
portal-requests-when = 申请时间
portal-requests-until = 至 { $at } UTC
portal-requests-withdraw = 撤回
portal-requests-withdraw-which = 申请 { $id }
portal-request-waiting = 等待审批
portal-request-setting-up = 已批准，正在配置
portal-request-over = 已结束
portal-request-approved = 已批准
portal-request-broken = 已批准，但配置失败
portal-request-rejected = 已拒绝
portal-request-withdrawn = 已撤回
portal-done-asked = 您的申请已提交给管理员。
portal-done-withdrawn = 您的申请已撤回。
portal-span-hours = { $count } 小时
portal-span-days = { $count } 天

# 出错时
portal-no-access = 没有此访问权限
portal-no-access-about = 您没有此访问权限，它可能已终止。
portal-access-pending = 此访问权限尚未就绪：正在配置。请稍后重试。
portal-line-off = 不可用于命令行
portal-credentials-refused = 没有凭证
portal-credentials-refused-about = 该账号未接受我们的声明。请将下方的请求编号告知管理员。
portal-too-many-favourites = 收藏已达 { $most } 个；请先取消一个。
portal-no-session = 没有此会话，它可能已结束。
