demo-idp = 演示身份提供商
demo-about = 此页面代替您企业的登录系统。它是真正的 SAML 身份提供商，但会相信您说的一切：仅用于演示。
demo-somebody = 其他人
demo-sign-in = 登录 { $space }
demo-name-length = 用户名长度为 1 至 256 个字符。
demo-not-ours = 这不是来自本系统空间的登录请求。
demo-portal-of = { $space } 的用户门户
