"""What schemathesis has to know of this API besides its document."""

import os

import schemathesis

# Who asks. Were their own account changed, everything after that would be refused and nothing tested.
OWN = os.environ["GATEPOST_NAME"]


@schemathesis.hook
def filter_case(context, case):
    return (case.path_parameters or {}).get("name") != OWN
