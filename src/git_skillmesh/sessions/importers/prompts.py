"""What a person said to an agent, among what programs say in the name of the user."""

import re

_COMMAND_NAME = re.compile(r"<command-name>([^<]*)</command-name>")
# What the program itself writes in the name of the user.
_NO_PROMPT = (
    "<local-command-", "<task-notification>", "<bash-input>", "<bash-stdout>", "<bash-stderr>",
    "<system-reminder>", "<user-memory-input>", "<ide_opened_file>", "<ide_selection>",
    "<ide_diagnostics>", "[Request interrupted by user",
    '{"task_id":',
)  # fmt: skip


def spoken(texts: list[str], images: int = 0) -> tuple[str, bool]:
    """Return (what the person said, whether it is a slash command); ("", …) if nobody did."""
    said = [text.strip() for text in texts if not text.lstrip().startswith(_NO_PROMPT)]
    prompt = "\n\n".join([text for text in said if text] + ["[image]"] * images)
    if prompt.startswith(("<command-name>", "<command-message>")):
        name = _COMMAND_NAME.search(prompt)
        arguments = prompt.partition("<command-args>")[2].rpartition("</command-args>")[0]
        words = [name[1].strip() if name else "", arguments.strip()]
        return " ".join(word for word in words if word), True
    return prompt, False
