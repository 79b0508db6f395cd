demo-idp = Demo identity provider
demo-about = This page stands in for your company's sign-in. It is a real SAML identity provider, but it believes whatever you say: it is part of the demo and of nothing else.
demo-somebody = Somebody else
demo-sign-in = Sign in to { $space }
demo-name-length = A user name has 1 to 256 characters.
demo-not-ours = This is not a sign-in request from a space of this installation.
demo-portal-of = the portal of { $space }
