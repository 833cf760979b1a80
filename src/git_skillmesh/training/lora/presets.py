"""How much a base of a size is trained, and what that takes.

In: a name. Out: `Preset`. What they take is in docs/lora_finetuning.md.
"""

from dataclasses import dataclass

from ..model import Form


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings for bases of about one size.

    `rank` and `alpha` are those of LoRA; all linear layers but the last are adapted. A step looks
    at `batch` times `accumulation` lines on each device, of at most `length` tokens. `rates` are
    the highest learning rates of (sft, kto and dpo): preferences need smaller steps. `saves` trades
    time for memory (gradient checkpointing).
    """

    name: str
    rank: int
    alpha: int
    dropout: float
    rates: tuple[float, float]
    batch: int
    accumulation: int
    length: int
    epochs: float
    saves: bool

    def rate(self, method: Form) -> float:
        """Return the highest learning rate for a method."""
        return self.rates[method is not Form.SFT]


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("tiny", 16, 32, 0.0, (2e-3, 2e-4), 4, 2, 1_024, 3.0, False),
        Preset("0.5b", 16, 32, 0.05, (2e-4, 1e-5), 2, 8, 4_096, 2.0, True),
        Preset("1.5b", 16, 32, 0.05, (2e-4, 1e-5), 1, 16, 4_096, 2.0, True),
        Preset("7b", 32, 64, 0.05, (1e-4, 5e-6), 1, 16, 4_096, 2.0, True),
    )
}
