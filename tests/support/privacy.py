"""Keys to test with."""

import base64
import os
from uuid import uuid4

from rapport_privacy.crypto import DataKey, MasterKey


def a_master_key() -> MasterKey:
    return MasterKey.from_base64(base64.b64encode(os.urandom(32)).decode())


def a_data_key() -> DataKey:
    return DataKey(str(uuid4()), os.urandom(32))
