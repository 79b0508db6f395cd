# 错误页面：每个错误有一个标题和一句说明。

problem-code = 错误码 <code>{ $code }</code>，请求编号 <code>{ $request }</code>
problem-not-found = 未找到
problem-no-page = 没有这个页面。
problem-refused = 目前无法执行此操作
problem-internal = 服务器出错了
problem-internal-about = 服务器未能响应。请重试；如果问题依旧，请将下方的请求编号告知管理员。
problem-forbidden = 不允许此操作
problem-forbidden-about = 此请求并非来自本站页面，或者不被允许。
problem-method = 不支持这种访问方式
problem-method-about = 此地址不能以这种方式访问。
problem-too-large = 内容过大
problem-too-large-about = 提交的内容超出了此页面的上限。
problem-not-understood = 无法识别该请求
problem-not-understood-about = 地址或表单中缺少内容，或内容有误。
problem-form = 无法识别该表单
problem-too-many = 请求过于频繁
problem-not-signed-in = 您尚未登录
problem-no-sign-in-now = 目前无法登录
problem-not-signed-out = 没有人因此退出登录
problem-sign-out-unfinished = 退出登录未完成
problem-not-from-here = 您不能从此处访问
problem-look-only = 您只有只读权限
demo-who = 您是谁？
