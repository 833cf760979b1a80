"""Install the shims and take them away again, so that nothing of anybody else is lost.

In: a repository. Out: hook files, two lines of git configuration, and a `Report` of what was done.
What stood where a shim goes is kept beside it as `<name>.before-skillmesh`. How to undo it all is
recorded in `<common dir>/skillmesh-init.json`, outside the folder of caches, which anybody may
delete.
"""

import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ReadOnly, UsageError
from ..git.repository import Repository
from . import managers, settings
from .shim import TEMPLATES, Owner, is_current, missing_program, owner, render

BEFORE = ".before-skillmesh"
LEGACY = ".legacy"  # where pre-commit puts the hook that it found
_OLD = ".old"  # where lefthook puts it
_INIT = "git skillmesh init"


@dataclass(slots=True)
class Report:
    """What `install` or `remove` did: sentences about hooks, configuration, and things to know."""

    folder: Path
    hooks: list[str] = field(default_factory=list)
    config: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class HookState:
    """One hook as it is now.

    `state` is installed, called (from a file of a hook manager or of the user), missing, foreign
    (a hook is there, but not ours) or outdated (ours, but of another version, or edited, or what
    it starts is gone); `chained` names what runs before it or calls it; `mend` says how to have
    it do something.
    """

    name: str
    state: str
    detail: str = ""
    chained: str = ""
    mend: str = ""

    @property
    def works(self) -> bool:
        """Whether git gets to this program by it."""
        return self.state in ("installed", "called")


def install(
    repository: Repository,
    *,
    shared_hooks: bool = False,
    more_settings: Sequence[tuple[str, str]] = (),
) -> Report:
    """Install the shims and the configuration; doing it again changes nothing.

    `more_settings` are further lines of git configuration, taken away again like the others.
    Raises `UsageError` for a hooks folder that other repositories use too, and `ReadOnly`.
    """
    folder = repository.path_of("hooks")
    shared = not _belongs(folder, repository)
    if shared and not shared_hooks:
        raise _leads_out(folder, repository)
    report = Report(folder)
    rewritten: list[Path] = []
    record = settings.load_record(repository)
    try:
        made = not folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True)
        record.add_folder(folder, made)
        record.save(repository)
        for name in TEMPLATES:
            path = folder / name
            calling = managers.caller(path, repository.top)
            # The shim is faster than pre-commit; who runs `init` all the same may want it.
            if calling and owner(path) is not Owner.PRE_COMMIT:
                report.hooks.append(f"{name}: called by {calling}")
                continue
            if managers.is_husky(folder):
                rewritten.append(path)
                continue
            _install_one(path, render(name, shared=shared), report)
            if owner(_beside(path, BEFORE)) is Owner.LEFTHOOK:
                rewritten.append(path)
        report.config += settings.write(repository, record, more_settings)
        if shared:  # the sign by which a shared shim knows that this repository wants it
            repository.state_dir.mkdir(exist_ok=True)
    except OSError as error:
        raise ReadOnly(f"cannot write {error.filename or folder}: {error.strerror}") from error
    if rewritten:
        report.notes.append(managers.word_about(rewritten))
    inside = shared or folder.is_relative_to(repository.common_dir)
    if not inside and not managers.is_husky(folder):
        report.notes.append(
            f"{folder} is part of the working tree: do not commit the shims, they name programs "
            "of this machine"
        )
    return report


def remove(repository: Repository, *, shared_hooks: bool = False) -> Report:
    """Put back what `install` found. Raises `ReadOnly`."""
    report = Report(repository.path_of("hooks"))
    calling = [managers.caller(report.folder / name, repository.top) for name in TEMPLATES]
    if callers := ", ".join(dict.fromkeys(str(one) for one in calling if one)):
        report.notes.append(f"this program is still called by {callers}")
    record = settings.load_record(repository)
    folders = {report.folder: False, **record.folders}
    try:
        for folder, made in folders.items():
            if not folder.is_dir():
                continue
            if not _belongs(folder, repository) and not shared_hooks:
                if any(owner(folder / name).ours for name in TEMPLATES):
                    report.notes.append(
                        f"the shims in {folder} stay, other repositories may use them; "
                        "--shared-hooks removes them too"
                    )
                continue
            for name in TEMPLATES:
                _remove_one(folder / name, report)
            if made and not any(folder.iterdir()):
                folder.rmdir()
        report.config += settings.undo(repository, record)
        record.delete(repository)
    except OSError as error:
        raise ReadOnly(f"cannot write {error.filename}: {error.strerror}") from error
    return report


def state(repository: Repository) -> list[HookState]:
    """Return the state of every hook, for `status` and `doctor`."""
    folder = repository.path_of("hooks")
    return [_state_of(folder / name, repository.top) for name in TEMPLATES]


def is_installed(repository: Repository) -> bool:
    """Whether `init` has been run and not been undone."""
    return settings.record_path(repository).is_file()


def _state_of(path: Path, top: Path | None) -> HookState:
    shim, chained = path, ""
    if owner(_beside(path, LEGACY)).ours and owner(path) is Owner.PRE_COMMIT:
        shim, chained = _beside(path, LEGACY), f"called by {path.name} of pre-commit"
    elif os.path.lexists(_beside(path, BEFORE)):
        chained = f"runs {path.name}{BEFORE} first"
    whose = owner(shim)
    if not whose.ours:
        if calling := managers.caller(path, top):
            return HookState(path.name, "called", f"by {calling}", chained)
        mend = _INIT
        if managers.is_husky(path.parent):
            mend = managers.line_for_husky(path)
        if whose is Owner.NOBODY:
            return HookState(path.name, "missing", chained=chained, mend=mend)
        return HookState(path.name, "foreign", f"{path} is not ours", chained, mend)
    if whose is Owner.EDITED_SHIM:
        return HookState(path.name, "outdated", "the shim was edited", chained, _INIT)
    if not os.access(shim, os.X_OK):
        return HookState(path.name, "outdated", "the shim is not executable", chained, _INIT)
    if not is_current(shim):
        return HookState(path.name, "outdated", "the shim is of another version", chained, _INIT)
    gone = missing_program(shim)
    if gone:
        return HookState(path.name, "outdated", f"{gone} is gone", chained, _INIT)
    return HookState(path.name, "installed", chained=chained)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _belongs(folder: Path, repository: Repository) -> bool:
    """Whether a hooks folder is used by this repository (and its worktrees) alone."""
    homes = [repository.common_dir.resolve()]
    if repository.common_dir.name == ".git":
        homes.append(repository.common_dir.parent.resolve())
    if repository.top is not None:
        homes.append(repository.top.resolve())
    return any(folder == home or folder.is_relative_to(home) for home in homes)


def _leads_out(folder: Path, repository: Repository) -> UsageError:
    return UsageError(
        f"core.hooksPath leads out of this repository, to {folder}",
        "`git skillmesh init --shared-hooks` installs there, for every repository that has an "
        "index; or give this one hooks of its own with `git config core.hooksPath "
        f"{shlex.quote(str(repository.common_dir / 'hooks'))}`",
    )


def _install_one(path: Path, shim: bytes, report: Report) -> None:
    before, legacy = _beside(path, BEFORE), _beside(path, LEGACY)
    whose = owner(path)
    if whose is Owner.PRE_COMMIT and owner(legacy).ours:
        _keep_edited(legacy, report)
        _write_shim(legacy, shim)
        report.hooks.append(f"{path.name}: called by pre-commit's hook")
        return
    said = f"{path.name}: installed"
    _drop_what_lefthook_moved(path)
    if whose is Owner.EDITED_SHIM:
        _keep_edited(path, report)
    elif whose not in (Owner.NOBODY, Owner.SHIM):
        if os.path.lexists(before) and (owner(before), whose) != (Owner.LEFTHOOK,) * 2:
            older = _free_name(before)
            before.rename(older)
            report.notes.append(
                f"{path.name} was replaced since the last init; the hook that was kept from "
                f"before is now {older}"
            )
        if whose is Owner.PRE_COMMIT and os.path.lexists(legacy):
            # `pre-commit install` would move the shim over its own .legacy hook.
            _copy(legacy, _beside(legacy, BEFORE))
        path.rename(before)
    if os.path.lexists(before):
        said += f"; {before.name} runs first"
    _write_shim(path, shim)
    report.hooks.append(said)


def _drop_what_lefthook_moved(path: Path) -> None:
    """Delete the shim that lefthook has renamed: it gives up where the new name is taken."""
    if owner(_beside(path, _OLD)) is Owner.SHIM:
        _beside(path, _OLD).unlink()


def _remove_one(path: Path, report: Report) -> None:
    before, legacy = _beside(path, BEFORE), _beside(path, LEGACY)
    kept_legacy = _beside(legacy, BEFORE)
    _drop_what_lefthook_moved(path)
    whose = owner(path)
    if whose.ours or whose is Owner.NOBODY:
        _keep_edited(path, report)
        if os.path.lexists(before):
            before.replace(path)
            report.hooks.append(f"{path.name}: the hook from before is back")
        elif whose.ours:
            path.unlink(missing_ok=True)
            report.hooks.append(f"{path.name}: removed")
    elif owner(legacy).ours:
        _keep_edited(legacy, report)
        legacy.unlink(missing_ok=True)
        if os.path.lexists(kept_legacy):
            kept_legacy.replace(legacy)
        if owner(before) is Owner.PRE_COMMIT:
            before.unlink()  # pre-commit has written a newer one to its place
        elif os.path.lexists(before):
            before.replace(legacy)
        report.hooks.append(f"{path.name}: removed from behind pre-commit's hook")
    elif owner(path) is owner(before) is Owner.LEFTHOOK:
        before.unlink()  # lefthook has written a newer one to its place
    elif os.path.lexists(before):
        report.notes.append(
            f"{path.name} was replaced since init and stays; the hook that was kept from before "
            f"is {before}"
        )
    if os.path.lexists(kept_legacy):
        kept_legacy.unlink()


def _keep_edited(path: Path, report: Report) -> None:
    """Put a shim that somebody edited out of the way, not away."""
    if owner(path) is Owner.EDITED_SHIM:
        kept = _free_name(_beside(path, ".edited-skillmesh"))
        path.rename(kept)
        report.notes.append(f"{path.name} had been edited; the edited file is now {kept}")


def _free_name(path: Path) -> Path:
    number, candidate = 1, path
    while os.path.lexists(candidate):
        number += 1
        candidate = _beside(path, f"-{number}")
    return candidate


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _write_shim(path: Path, shim: bytes) -> None:
    if owner(path) is Owner.SHIM and path.read_bytes() == shim and os.access(path, os.X_OK):
        return
    fresh = _beside(path, f".{os.getpid()}.fresh")
    fresh.write_bytes(shim)
    fresh.chmod(0o755)
    fresh.replace(path)
