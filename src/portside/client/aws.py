"""A person's AWS credentials, region and endpoints: the plain environment variables first, botocore for all the rest.

botocore takes a fifth of a second to import, so it is asked only when the variables do not say everything.
Source: AWS SDKs and Tools Reference Guide, Standardized credential providers, Service-specific endpoints.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portside.identity import sigv4
from portside.remote.errors import RemoteError, Unauthenticated, Unusable

_ADVICE = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --profile"
_PLAIN = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True, slots=True)
class Found:
    """Where credentials came from, without them."""

    source: str
    access_key: str
    expires: datetime | None = None


class AwsSettings:
    """What the environment and the AWS configuration files say. May be used from several threads."""

    def __init__(
        self, profile: str | None = None, region: str | None = None, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._environment = environment
        self._profile = profile or environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE")
        self._explicit = profile
        self._region = region
        self._made: Any = None
        self._credentials: Any = None
        self._lock = threading.Lock()

    @property
    def profile(self) -> str:
        """The profile's name."""
        return self._profile or "default"

    def region(self) -> str | None:
        """The region, as the option, the variables or the profile say it."""
        given = self._region or self._environment.get("AWS_REGION") or self._environment.get("AWS_DEFAULT_REGION")
        return given or self._configured("region")

    def endpoint(self) -> str | None:
        """Where the ECR API is, when something names another place than Amazon's."""
        if self._environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
            return None
        given = self._environment.get("AWS_ENDPOINT_URL_ECR") or self._environment.get("AWS_ENDPOINT_URL")
        return given or self._configured_endpoint()

    def keys(self, *, renew: bool = False) -> sigv4.Credentials:
        """Credentials to sign with. Raises Unauthenticated."""
        if not self._explicit and all(self._environment.get(name) for name in _PLAIN):
            access_key, secret = (self._environment[name] for name in _PLAIN)
            return sigv4.Credentials(access_key, secret, self._environment.get("AWS_SESSION_TOKEN"))
        found = self._resolved(renew=renew)
        try:
            frozen = found.get_frozen_credentials()
        except Exception as error:  # noqa: BLE001 - botocore's providers raise what they like
            raise _unusable(error, self.profile) from None
        return sigv4.Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    def found(self) -> Found:
        """Say where the credentials come from. Raises Unauthenticated."""
        keys = self.keys()
        if not self._explicit and all(self._environment.get(name) for name in _PLAIN):
            return Found("environment variables", keys.access_key)
        held = self._resolved(renew=False)
        return Found(f"{held.method} (profile {self.profile})", keys.access_key, getattr(held, "_expiry_time", None))

    def _resolved(self, *, renew: bool) -> Any:
        with self._lock:
            if self._credentials is None or renew:
                try:
                    self._credentials = self._session(fresh=renew).get_credentials()
                except RemoteError:
                    raise
                except Exception as error:  # noqa: BLE001 - botocore's providers raise what they like
                    raise _unusable(error, self.profile) from None
            if self._credentials is None:
                raise Unauthenticated("There are no AWS credentials", _ADVICE)
            return self._credentials

    def _session(self, *, fresh: bool = False) -> Any:
        if self._made is None or fresh:
            import botocore.session  # noqa: PLC0415 - only where the variables do not say everything

            self._made = botocore.session.Session(profile=self._profile)
        return self._made

    def _scoped(self) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - as above

        session = self._session()
        try:
            return session.get_scoped_config()
        except BotoCoreError as error:
            if self._profile is None:
                return {}
            raise Unusable(f"The AWS configuration cannot be used ({error})", "see ~/.aws/config") from None

    def _has_files(self) -> bool:
        config = self._environment.get("AWS_CONFIG_FILE", "~/.aws/config")
        return os.path.exists(os.path.expanduser(config))  # noqa: PTH110, PTH111 - pathlib's raises without a home

    def _configured(self, name: str) -> str | None:
        if not self._has_files():
            return None
        found = self._scoped().get(name)
        return found if isinstance(found, str) else None

    def _configured_endpoint(self) -> str | None:
        if not self._has_files():
            return None
        scoped = self._scoped()
        services = self._session().full_config.get("services", {}).get(scoped.get("services"), {})
        found = services.get("ecr", {}).get("endpoint_url") or scoped.get("endpoint_url")
        return found if isinstance(found, str) else None


def _unusable(error: Exception, profile: str) -> RemoteError:
    # botocore's sentences name files, profiles and commands, and no secret.
    name = type(error).__name__
    if name == "ProfileNotFound":
        return Unusable(f"There is no AWS profile '{profile}'", "see ~/.aws/config, or --profile")
    if "SSO" in name or "Token" in name:
        return Unauthenticated(
            f"The sign-in of profile {profile} has ended", f"run 'aws sso login --profile {profile}'"
        )
    return Unauthenticated(f"The AWS credentials of profile {profile} cannot be had ({error})", _ADVICE)
