# 状态、类型与步骤。

state-waiting = 等待中
state-in-progress = 进行中
state-done = 已完成
state-failed = 失败
state-enabled = 已启用
state-disabled = 已禁用
state-failing = 投递失败中

source-manual = 手动创建
source-scim = SCIM 同步
identity-user = 用户
identity-group = 用户组
policy-preset = 预设策略
policy-custom = 自定义策略
deployment-deployed = 已部署
deployment-outdated = 待更新
assignment-active = 已生效
assignment-removing = 移除中

step-accounts = 选择账号
step-identities = 选择用户和用户组
step-configurations = 选择权限配置
step-review = 确认

expiry-idp-certificate = 身份提供商的证书
expiry-idp-metadata = 身份提供商的元数据
expiry-sp-key = 面向身份提供商的签名密钥
expiry-idp-key = 面向账号的签名密钥
expiry-encryption-key = 加密密钥
expiry-scim-token = SCIM 密钥

event-create = 创建用户或用户组
event-patch = 属性变更
event-answer = 异步批量请求的各项操作
event-membership = 成员加入或离开
event-delete = 删除用户或用户组
event-activate = 启用用户
event-deactivate = 禁用用户
event-expiry = 即将失效的证书和密钥
event-alarm = 警报：需要立即查看
event-verification = 测试
delivery-delivered = 已投递
delivery-given-up = 已放弃

task-deploy = 部署权限配置
task-undeploy = 解除部署权限配置
task-create-assignment = 添加授权
task-remove-assignment = 移除授权
task-start-sync = 开始用户同步
task-end-sync = 结束用户同步
task-refresh-provider = 更新账号中的密钥
task-detect-drift = 检查配置偏差
