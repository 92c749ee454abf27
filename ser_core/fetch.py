"""Get one file of known content from an address."""

from __future__ import annotations

from pathlib import Path

from ser_core.files import replace_file

TIMEOUT_SECONDS = 20  # without an answer


def fetch_file(
    url: str, sha256: str, target: Path, *, progress: bool = False, timeout_seconds: float = TIMEOUT_SECONDS
) -> str | None:
    """Download a file, unless it is there already; what is not whole, or another one, never gets its name.

    Args:
        url: its address.
        sha256: of the file, in hexadecimal digits.
        target: where it goes.
        progress: whether a bar on stderr says how it goes.
        timeout_seconds: without an answer, > 0.

    Returns:
        why that failed, in words, or None.

    Raises:
        DiskFullError: there is no room for it.
        OSError: the folder can't be written to.
    """
    import pooch
    import requests
    import urllib3

    if target.is_file() and pooch.file_hash(str(target)) == sha256:
        return None
    downloader, host = pooch.HTTPDownloader(timeout=timeout_seconds, progressbar=progress), _host(url)
    try:
        with replace_file(target) as path:
            downloader(url, str(path), None)
            if pooch.file_hash(str(path)) != sha256:
                raise _OtherContent
    except requests.HTTPError as error:
        status = "with an error" if error.response is None else error.response.status_code
        return f"{host} answered {status}"
    except (requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL):
        return f"{url} is no address: one begins with https://"
    except (requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError, TimeoutError):
        return f"{host} could not be reached"
    except _OtherContent:
        return f"{host} sent something else (wrong checksum)"
    return None


class _OtherContent(Exception):  # noqa: N818
    """What came is not the file."""


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).netloc
