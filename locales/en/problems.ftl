# Error pages: a heading and a sentence each.

problem-code = Code <code>{ $code }</code>, request <code>{ $request }</code>
problem-not-found = Not found
problem-no-page = There is no such page.
problem-refused = That is not possible now
problem-internal = Something went wrong here
problem-internal-about = The server could not answer. Try again; if it stays, give an administrator the request number below.
problem-forbidden = Not allowed
problem-forbidden-about = This request did not come from our own page, or it is not allowed.
problem-method = Not like that
problem-method-about = This address cannot be used in this way.
problem-too-large = Too large
problem-too-large-about = What was sent is larger than this page takes.
problem-not-understood = The request is not understood
problem-not-understood-about = Something in the address or in the form is missing or wrong.
problem-form = The form is not understood
problem-too-many = Too many at once
problem-not-signed-in = You are not signed in
problem-no-sign-in-now = You cannot sign in now
problem-not-signed-out = Nobody is signed out by this
problem-sign-out-unfinished = This sign-out was not finished
problem-not-from-here = You cannot come in from here
problem-look-only = You may look only
demo-who = Who are you?
