"""The app as it is served: to whom, by which settings, in which container."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from ser_app.headers import HEADERS, POLICY, inline_scripts
from tests.helpers import ROOT, skip_or_fail

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
IGNORED = (ROOT / ".dockerignore").read_text("utf-8").splitlines()


def test_it_answers_this_machine_alone_and_protects_what_is_uploaded():
    """Also as README starts it: `streamlit run streamlit_app.py`."""
    server = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["server"]
    assert server["address"] == "localhost"
    assert server["enableXsrfProtection"] is server["enableCORS"] is True


def test_the_names_that_count_are_said_as_streamlit_reads_them():
    said = (ROOT / "docs" / "serving.md").read_text("utf-8")
    (setting,) = re.findall(r"`STREAMLIT_SERVER_ALLOWED_HOSTS=(\S+)`", said)
    asked = [sys.executable, "-m", "streamlit", "config", "show"]
    environment = {**os.environ, "STREAMLIT_SERVER_ALLOWED_HOSTS": f"{setting} www.{setting}"}
    answer = subprocess.run(asked, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (hosts,) = re.findall(r"^allowedHosts = (\[.*?\])", answer, re.DOTALL | re.MULTILINE)
    assert re.findall(r'"(.*?)"', hosts) == ["ser.example.org", "www.ser.example.org"]


def test_only_scripts_of_the_app_run():
    assert inline_scripts("<script>let a\nlet b</script><script src='c.js'></script>").count("sha256-") == 1
    assert inline_scripts("<script></script>") == "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"  # of nothing
    assert POLICY["script-src"].startswith("'self' blob: 'sha256-")
    assert "unsafe" not in POLICY["script-src"]
    assert "http" not in HEADERS["Content-Security-Policy"]


def test_a_linter_finds_nothing_in_the_dockerfile():
    beside = Path(sys.executable).with_name("hadolint")
    hadolint = str(beside) if beside.exists() else shutil.which("hadolint")
    if hadolint is None:
        skip_or_fail("needs hadolint")
    found = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (found.stdout, found.returncode) == ("", 0)


def test_the_container_has_no_rights_asks_for_its_health_and_keeps_one_folder():
    lines = DOCKERFILE.splitlines()
    assert [line for line in lines if line.startswith(("USER", "VOLUME", "CMD"))] == [
        "USER 1000",
        "VOLUME /cache",
        'CMD ["streamlit", "run", "serve.py"]',
    ]
    assert any(line.startswith("HEALTHCHECK") and "/_stcore/health" in line for line in lines)


def in_the_image(path: str) -> bool:
    """Whether `.dockerignore` lets a file pass; its rules are in order, as the last that fits says."""
    parts = Path(path).parts
    above = ["/".join(parts[: i + 1]) for i in range(len(parts))]
    passes = True
    for rule in IGNORED:
        if rule and not rule.startswith("#"):
            pattern = rule.removeprefix("!").removeprefix("**/")
            if any(fnmatch(each if "**/" not in rule else Path(each).name, pattern) for each in above):
                passes = rule.startswith("!")
    return passes


@pytest.mark.parametrize("folder", ["ser_core", "ser_app", "pages", "runs", "checkpoints", "evaluations", ".streamlit"])
def test_the_image_has_what_the_app_reads(folder: str):
    files = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert files
    assert [file for file in files if not in_the_image(file)] == []


def test_the_image_has_nothing_else():
    assert in_the_image("serve.py")
    assert in_the_image("requirements.txt")
    for path in (".git/config", "tests/conftest.py", ".venv/bin/python", "pages/__pycache__/x.pyc", "runs/.partial/x"):
        assert not in_the_image(path)
