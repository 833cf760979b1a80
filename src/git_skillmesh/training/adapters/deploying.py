"""Deploy and roll back: one file is replaced, and with it what is active.

In: the folder of adapters, a signer. Out: `Outcome`. The order is: look at the files, sign, look at
the signature as everybody will, replace `active.json`, add a line to the history. Killed before the
replacement the old manifest stands, after it the new one; a line that the history lacks then is
added by the next who writes, and is counted by all who read.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ...errors import Damaged, ExitCode, SkillmeshError, UsageError
from ...git.people import author_of
from ...git.repository import Repository
from ...sessions.serving import ALIAS, Deployment, logged_deployments, read_deployments
from . import manifest as manifests
from .judgements import objections, read_judgement
from .manifest import Manifest
from .signing import Signed, Signer
from .store import Store

# What stands for no adapter on the command line.
BASE = "base"
# For how long one deployment waits for another one, which may wait for a passphrase.
_WAIT_SECONDS = 30.0
Prepare = Callable[[Manifest], None]


class Refused(SkillmeshError):
    """A deployment that a rule speaks against, and that nobody forced."""

    exit_code = ExitCode.FINDINGS


@dataclass(frozen=True, slots=True)
class Active:
    """What is active, its signature and its files looked at."""

    manifest: Manifest
    signed: Signed

    @property
    def name(self) -> str:
        """The adapter, "" for the base alone."""
        return self.manifest.deployment.adapter


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a deployment or rollback did; `changed` is False where it was so already.

    `notes` say what else the user should know.
    """

    manifest: Manifest
    changed: bool
    notes: tuple[str, ...] = ()


class Deployments:
    """Reads and writes what is active."""

    def __init__(self, repository: Repository, store: Store, signer: Signer) -> None:
        self._repository = repository
        self._store = store
        self._signer = signer

    # -- reading -----------------------------------------------------------------------------------

    def active(self) -> Active | None:
        """Return what is active, None where nothing was ever deployed.

        Raises `Damaged` where signature, manifest and files do not fit together.
        """
        data = manifests.read(self._store.folder)
        if data is None:
            return None
        manifest, signed, signature = manifests.opened(data)
        who = self._signer.check(signed, signature)
        if name := manifest.deployment.adapter:
            self._store.check_files(name, manifest.files)
        return Active(manifest, who)

    def active_name(self) -> str:
        """Return the name of what is active, unchecked; "" for the base alone."""
        return manifests.active_name(self._store.folder)

    # -- writing -----------------------------------------------------------------------------------

    def deploy(
        self, name: str, *, force: bool = False, reason: str = "", if_active: str | None = None,
        serves: Iterable[str] = (), prepare: Prepare | None = None,
    ) -> Outcome:  # fmt: skip
        """Make an adapter active. `prepare` may stop it by raising, before anything changes.

        `serves` are further names under which engines offer it. Raises `Refused`, `UsageError`,
        `Damaged`, `Busy`, `ReadOnly`, and as `Signer.sign`.
        """
        self._store.usable(name)
        with self._store.writing(_WAIT_SECONDS):
            self._mend()
            before = self._before(if_active)
            adapter = self._store.usable(name)[1]
            if name == before and (now := self._intact()):
                if prepare:
                    prepare(now)
                return Outcome(now, False, (f"{name} is active already",))
            files = self._store.files(name)
            judged = None
            try:
                judged = read_judgement(self._store.folder, name)
                against = tuple(objections(judged, adapter, files, before))
            except Damaged as error:
                against = (str(error),)
            if against and not force:
                raise Refused(
                    f"{name} is not deployed: {'; '.join(against)}",
                    f"git skillmesh adapters evaluate {name} --data FILE, or --force",
                )
            made = Manifest(
                self._deployment("deploy", name, before, (adapter.base, adapter.base_sha256),
                                 serves),
                files, judged.summary() if judged else {}, bool(against),
                reason or "; ".join(against), author_of(self._repository),
            )  # fmt: skip
            return self._switch(made, prepare)

    def rollback(
        self, name: str | None = None, *, reason: str = "", if_active: str | None = None,
        prepare: Prepare | None = None,
    ) -> Outcome:  # fmt: skip
        """Make active what was so before, or a named adapter; `base` is the base alone.

        Raises as `deploy`, except `Refused` for a judgement: it was trusted once.
        """
        with self._store.writing(_WAIT_SECONDS):
            self._mend()
            before = self._before(if_active)
            history = read_deployments(self._store.folder)
            if name is None:
                stack = stack_of(history)
                if len(stack) < 2:
                    raise UsageError("there is nothing to roll back to")
                name = stack[-2]
            name = "" if name == BASE else name
            if not history:
                raise UsageError("nothing was deployed yet", "git skillmesh adapters deploy NAME")
            if name == before and (now := self._intact()):
                return Outcome(now, False, (f"{name or BASE} is active already",))
            last = [one for one in history if one.adapter == name]
            if name and not last:
                raise UsageError(
                    f"{name} was never deployed", f"git skillmesh adapters deploy {name}"
                )
            files, base = {}, (history[-1].base, history[-1].base_sha256)
            if name:
                adapter = self._store.usable(name)[1]
                files, base = self._store.files(name), (adapter.base, adapter.base_sha256)
            serves = last[-1].serves if last else ()
            judged = None
            if name:
                try:
                    judged = read_judgement(self._store.folder, name)
                except Damaged:
                    judged = None
            made = Manifest(
                self._deployment("rollback", name, before, base, serves), files,
                judged.summary() if judged else {}, False, reason, author_of(self._repository),
            )  # fmt: skip
            return self._switch(made, prepare)

    # -- parts -------------------------------------------------------------------------------------

    def _before(self, if_active: str | None) -> str:
        """Return what is active now. Raises `Refused` where it is not what was expected."""
        before = self.active_name()
        if if_active is not None and before != ("" if if_active == BASE else if_active):
            raise Refused(f"{before or BASE} is active, not {if_active or BASE}")
        return before

    def _intact(self) -> Manifest | None:
        """Return the manifest if signature and files are in order."""
        try:
            now = self.active()
        except SkillmeshError:
            return None
        return now.manifest if now else None

    def _deployment(
        self, action: str, name: str, before: str, base: tuple[str, str], serves: Iterable[str]
    ) -> Deployment:
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        names = tuple(dict.fromkeys((ALIAS, *filter(None, (name,)), *sorted(serves))))
        made = Deployment(secrets.token_hex(8), action, name, before, "", *base, time, names)
        stack = stack_of([*read_deployments(self._store.folder), made])
        back = stack[-2] if len(stack) > 1 else ""
        return Deployment(made.identity, action, name, before, back, *base, time, names)

    def _switch(self, made: Manifest, prepare: Prepare | None) -> Outcome:
        document = made.document()
        data = manifests.signed_bytes(document)
        signature = self._signer.sign(data)
        notes = []
        if signature.made:
            notes.append(f"made a key to sign with: {signature.made}")
        if self._signer.allow_first(signature):
            file = self._signer.allowed_file()
            notes.append(f"whoever may deploy here stands in {file}: you do now")
        try:
            self._signer.check(data, signature.text)
        except Damaged as error:
            file = self._signer.allowed_file()
            raise Refused(
                f"your key may not deploy here ({error.what})",
                f"add to {file}: {signature.allows}",
            ) from None
        if prepare:
            prepare(made)
        manifests.replace(self._store.folder, manifests.envelope(made, signature.text))
        manifests.append(self._store.folder, made.line())
        return Outcome(made, True, tuple(notes))

    def _mend(self) -> None:
        """Add the line that a deployment which was killed could not add."""
        data = manifests.read(self._store.folder)
        if data is None:
            return
        try:
            last = manifests.opened(data)[0]
        except Damaged:
            return
        logged = {one.identity for one in logged_deployments(self._store.folder)}
        if last.deployment.identity not in logged:
            manifests.append(self._store.folder, last.line())


def stack_of(history: Iterable[Deployment]) -> list[str]:
    """Return what was deployed upon what, the active one last; a rollback takes away from it.

    At the bottom is the base alone, "".
    """
    stack = [""]
    for one in history:
        if one.action == "rollback" and one.adapter in stack:
            del stack[len(stack) - stack[::-1].index(one.adapter) :]
        elif stack[-1] != one.adapter:
            stack.append(one.adapter)
    return stack
