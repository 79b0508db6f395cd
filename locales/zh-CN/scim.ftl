# 设置：SCIM。

scim-title = SCIM 同步
brake-off = 已关闭
brake-lifted = 已解除
brake-holds = 已拦截
brake-ready = 就绪
done-token-enabled = SCIM 密钥已启用。
done-token-disabled = SCIM 密钥已禁用。
done-token-deleted = SCIM 密钥已删除。
done-brake-lifted = 保护已解除，目录的后续请求将被放行。
done-brake-back = 保护已恢复。
done-settings-saved = 设置已保存。
done-schema-registered = 扩展属性架构已注册，其值将随下一次同步写入。
done-schema-removed = 扩展属性架构及其所有值已删除。
deletion-gone = 已清除
