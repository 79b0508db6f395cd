# The users' door: sign-in, home, roles, credentials, sessions, requests.

portal-tabs = Portal
portal-tab-roles = CAM roles
portal-tab-users = CAM users
portal-tab-requests = Requests
portal-tab-sessions = Sessions
portal-signed-in-until = Signed in until
portal-back = Back to your accounts
portal-your-accounts = Your accounts

# Home
portal-about-users = Enter an account as its CAM user, for services that know no roles. What you may do there, the account’s administrators decide.
portal-about-roles = Enter an account as a role: one permission at a time, for as long as its session lasts. Most services know roles.
portal-none-roles = You have no access to any account as a role.
portal-none-users = You have no access to any account as a CAM user.
portal-none-next = If you need one, see what you can <a href="{ $href }">ask for here</a>, or ask your administrator and give your user name, { $user }.
portal-search-roles = Account name, id or role
portal-search-users = Account name, id or CAM user
portal-favourites = Favourites
portal-recent = Entered lately
portal-not-found = Nothing that you may enter has “{ $search }” in its name or id.
portal-show-all = Show all
portal-account-id = the account id
portal-roles = { $count ->
    [one] { $count } role
   *[other] { $count } roles
}
portal-in-account = in { $account }
portal-log-in = Log in
portal-log-in-to = to { $account } as { $role }
portal-pending = Being set up
portal-failed = Could not be set up
portal-per-session = { $duration } per session
portal-count = { $count ->
    [one] { $count } account
   *[other] { $count } accounts
}
portal-page = page { $page } of { $pages }
portal-pages = Pages
portal-page-before = Page before
portal-favourite = Favourite: { $account }, { $role }
portal-origin-direct = Given to you
portal-origin-group = Through the group { $group }
portal-done-kept = Kept among your favourites.
portal-done-dropped = No favourite any more.

# A role
portal-role-in = { $role } in { $account }
portal-enter = Enter
portal-role-pending = This access is being set up. Look again in a minute.
portal-role-failed = This access could not be set up. Your administrators see why; tell them if you need it.
portal-account = Account
portal-account-number = Account id
portal-department = Department
portal-session = Session
portal-why = Why you have it
portal-link = Link to this page
portal-the-link = the link to this page
portal-command-line = Command line
portal-other-cloud = This account is in another cloud: its credentials are not ours to give. Log in, and get them there.
portal-credentials-about = Temporary credentials of this role, for terminals and programs. They are made anew each time and shown once. Whoever has them is you, until they end.
portal-show-credentials = Show credentials
portal-no-credentials = Your administrators give out no credentials for the command line with this role.

# Credentials
portal-credentials = Temporary credentials
portal-credentials-left = They count for { $left }, until { $at } UTC, or until your access ends. They are shown this once. Whoever has them is you.
portal-snippet-bash = macOS and Linux (bash, zsh)
portal-snippet-bash-hint = Paste into the terminal.
portal-snippet-powershell = Windows PowerShell
portal-snippet-cmd = Windows Command Prompt
portal-snippet-window-hint = Paste into the window.
portal-snippet-env = Env file
portal-snippet-env-hint = For containers and tools that read one. Keep it out of version control.
portal-snippet-file = tccli configuration file
portal-snippet-file-hint = As ~/.tccli/default.credential, for tccli and the SDKs.
portal-snippet-json = JSON (credential_process)
portal-snippet-json-hint = What a credential process prints.
portal-left-moment = less than a minute
portal-left-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
portal-left-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
portal-left-hours-minutes = { $hours } { $minutes }
portal-left-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}

# Sessions
portal-your-sessions = Your sessions
portal-where = Where you are signed in
portal-end-others = End all others
portal-browser = Browser
portal-address = Address
portal-began = Began
portal-used = Used last
portal-ends = Ends
portal-unknown = Unknown
portal-this-one = This one
portal-end = End
portal-end-which = the session that began { $at }
portal-open-accounts = Accounts that are open
portal-open-none = You are in no account as a role.
portal-open-about = They live on when you sign out here, each until its own end. If your access ends, they end with it.
portal-role = Role
portal-in-left = in { $left }
portal-done-ended = Ended.
portal-done-others = You are signed in here only.

# Sign-in and sign-out
portal-login-about = Your accounts in the cloud, behind your organisation’s own sign-in.
portal-sign-in = Sign in with your organisation
portal-sign-in-page = Sign in
portal-not-ready = Signing in has not been set up here yet. Ask your administrator.
portal-confirm-as = Sign in as { $name }?
portal-confirm-about = Your company’s sign-in sent you here as <strong>{ $user }</strong>. If that is not you, or you did not choose to come here, do not go on.
portal-confirm-yes = Go on as { $user }
portal-confirm-no = Do not sign in
portal-signed-out-page = Signed out
portal-ended = What your organisation’s sign-in has ended has ended here too. Accounts that are open in other windows stay open until their sessions end.
portal-out = You are signed out
portal-out-partly = You are not signed out everywhere
portal-out-here = You are signed out here only
portal-out-here-about = Every session that you had here has ended, in this browser and in all others. Your organisation’s sign-in may still know you: sign out there too, or close your browser.
portal-out-complete = You are signed out here and at your organisation’s sign-in.
portal-out-partial = You are signed out here. Your organisation’s sign-in could not end all of your other sessions: applications that it signed you in to may still be open. Sign out in each of them, or close your browser.
portal-out-failed = Your organisation’s sign-in did not sign you out: whoever uses this browser next may come back in without a password. Sign out there, or close your browser.
portal-out-pending = Your organisation’s sign-in has not confirmed that it signed you out: whoever uses this browser next may come back in without a password. Sign out there, or close your browser.
portal-out-unknown = This sign-out was begun in another browser, or has been over for a while.
portal-stay-open = Accounts that stay open
portal-stay-open-about = Each until its own end, or until your access ends. Close their windows if others use this browser.
portal-stay-open-until = { $role }, until { $at } UTC
portal-none-open = No account is open any more with a role that you entered from here.

# Command lines
portal-line-ask = Let a command line act as you?
portal-line-who = A program in a terminal asks to enter your accounts as <strong>{ $user }</strong>, with every role that you have.
portal-line-mark = The address in your terminal ends with <strong><code id="mark">{ $mark }</code></strong>.
portal-line-warn = If yours ends otherwise, or you did not start <code>tccli sso login</code> just now, say no: somebody else wants your access.
portal-line-yes = Yes, it is mine
portal-line-no = No
portal-line-ends = It ends when you sign out here, or by itself on { $at } UTC.
portal-line-on = Go on in your terminal
portal-line-refused = The command line was refused
portal-line-on-about = The command line acts as you from now on. You may close this page. To end it, sign out of the portal.
portal-line-refused-about = It got nothing. If you did not start it, tell your administrator that somebody sent you here.
portal-line-incomplete = The address that the command line gave is not complete. Copy the whole of it.
portal-line-answered = This was answered before. Start anew at the command line.

# Requests
portal-requests = Access requests
portal-requests-none = There is nothing here that you may ask for.
portal-requests-who = Your administrators decide who may ask for what.
portal-requests-ask = Ask for access for a while
portal-requests-about = An administrator decides. What is approved begins at once and ends by itself.
portal-requests-wanted = Account and role
portal-requests-for = For
portal-requests-why = Why
portal-requests-submit = Ask for access
portal-requests-asked = What you asked for
portal-requests-access = Access
portal-requests-when = Asked
portal-requests-until = until { $at } UTC
portal-requests-withdraw = Withdraw
portal-requests-withdraw-which = the request { $id }
portal-request-waiting = Waiting for a decision
portal-request-setting-up = Approved, being set up
portal-request-over = Over
portal-request-approved = Approved
portal-request-broken = Approved, but could not be set up
portal-request-rejected = Rejected
portal-request-withdrawn = Withdrawn
portal-done-asked = Your request is with the administrators.
portal-done-withdrawn = Your request is withdrawn.
portal-span-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
portal-span-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}

# What goes wrong
portal-no-access = No such access
portal-no-access-about = You have no such access. It may have ended.
portal-access-pending = This access is not ready: it is being set up. Try again in a minute.
portal-line-off = Not for the command line
portal-credentials-refused = No credentials
portal-credentials-refused-about = The account did not accept our word. Give an administrator the request number below.
portal-too-many-favourites = There are { $most } favourites; take one away first.
portal-no-session = There is no such session. It may have ended.
