console-sign-in-title = Sign in – Identity Center console
console-for = For administrators: the root or a CAM user of the management account.
sign-in = Sign in
console-portal = Looking for your accounts? Use the portal address your organisation gave you.
console-no-space = Your organisation has not opened a space yet.
console-open-it = Open it
console-account = Management account
console-account-hint = The account's number.
console-password = Password
console-need-policy = To change anything you need the policy { $policy }.
console-refused = These do not open the console. After several wrong passwords signing in is paused for a while.

# Two administrators at one form.
conflict-title = Somebody else has changed this meanwhile
conflict-about = Nothing of yours has been saved. Compare both versions: take what is there now and go on from it, or save yours over it.
conflict-field = Field
conflict-now = As it is now
conflict-yours = As you wrote it
conflict-differs = Differs
conflict-take-theirs = Go on from what is there now
conflict-take-yours = Save mine over it
