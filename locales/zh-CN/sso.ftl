# 设置：单点登录。

sso-title = 单点登录
done-switched-on = 已启用。
done-switched-off = 已停用。
done-test-made = 测试已就绪，不会影响任何人。
done-provider-saved = 身份提供商已保存。
done-provider-cleared = 身份提供商已清除。
done-source-same = 已发布的内容与当前配置一致。
done-source-looked = 已读取该地址。
done-source-kept = 地址已保存，两分钟内会读取一次。
done-source-failed = 已读取该地址，内容不被采用的原因见下方。
done-source-removed = 不再自动读取，当前配置保持不变。
done-proposal-discarded = 变更建议已放弃，配置没有改变。
done-key-added = 密钥已创建并写入元数据，请将元数据提供给您的身份提供商。
done-key-removed = 密钥已删除，此后用它加密的内容将被拒绝。
done-key-prepared = 密钥已创建并写入元数据，尚未用于签名。
done-key-switched = 密钥已启用，旧密钥在删除之前仍保留在元数据中。
done-key-retired = 密钥已删除。
done-certificate-added = 证书已添加。
done-certificate-removed = 证书已删除。
attempt-signed-in = 已登录
attempt-accepted = 已接受，未完成
attempt-refused = 已拒绝
