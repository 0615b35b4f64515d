"""Campaign files, as tests write them."""

import pytest

from glasscreep.campaign.file import load
from glasscreep.campaign.problems import CampaignFileError


@pytest.fixture
def read(tmp_path):
    """Write a campaign file, and read it."""

    def read(text, name="demo.toml"):
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(file)

    return read


@pytest.fixture
def problems(read):
    """Write a campaign file that is refused, and give what is wrong with it, by key."""

    def problems(text, name="demo.toml"):
        with pytest.raises(CampaignFileError) as error:
            read(text, name)
        return {problem.path: problem for problem in error.value.problems}

    return problems
