# What stands on many pages: the frame, lists, forms, buttons.

skip-to-content = Skip to content
menu = Menu
console = Console
may-look-only = may look only
sign-out = Sign out
sign-in-again = Sign in again
to-the-overview = To the overview
go-on = Go on
i-have-it = I have it

menu-users = User management
menu-cam = CAM synchronisation
menu-settings = Settings

# Lists
all = All
search = Search
in-all = { $count } in all
first-page = First page
next-page = Next page
actions = Actions
state = State
status = Status
last-delivery = Last delivery
none-yet = None yet

# Forms
optional = (optional)
one-field-wrong = Nothing was saved: one field is wrong.
cancel = Cancel
keep = Keep
save = Save
delete = Delete
delete-ask = Delete…
replace = Replace
enable = Enable
disable = Disable
copy = Copy
copied = Copied
steps = Steps
settings = Settings

# Certificates and keys
certificate-key = Key
certificate-serial = Serial
certificate-issuer = Issuer
certificate-version = Version
certificate-algorithm = Signature algorithm
certificate-fingerprint = SHA-256 fingerprint
valid-from = Valid from
valid-until = Valid until
expired = Expired
days-left = { $days ->
    [one] { $days } day left
   *[other] { $days } days left
}
ended-on = ended on
ends-today = ends within a day:
ends-in = { $days ->
    [one] ends in { $days } day:
   *[other] ends in { $days } days:
}

# SAML messages on their way
signing-in = Signing in
being-taken-to = You are being taken to { $destination }.
signing-out = Signing out
signing-out-there-too = You are being taken to your organisation’s sign-in, to sign out there too.
back-to-the-form = Back to the form
to-the-portal = To the portal
language = Language
theme = Colours
theme-system = As the system
theme-light = Light
theme-dark = Dark
turn-off = Turn off
turn-on = Turn on
turn-off-ask = Turn off…
turn-on-ask = Turn on…
on = On
off = Off
keep-on = Keep on
keep-off = Keep off
remove = Remove
remove-ask = Remove…
add = Add
details = Details
more = More
change = Change
time = Time
name = Name
outcome = Outcome
latest-first = Latest first
never = Never
certificate-subject = Subject
back = Back
continue = Continue
review = Review
created = Created
expires = Expires
refresh = Refresh
try-again = Try again
reason = Reason
before = Before
after = After
progress = Progress
nothing = Nothing.
leave-it-off = Leave it off
