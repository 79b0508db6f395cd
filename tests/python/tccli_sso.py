"""tccli as it comes, but for the one constant that says where `tccli sso` asks: SERVER."""

import os
import sys

import tccli.sso

tccli.sso._API_ENDPOINT = os.environ["SERVER"]

from tccli.main import main  # noqa: E402

sys.exit(main())
