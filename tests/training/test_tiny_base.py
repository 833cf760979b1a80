"""The tiny base can copy from its first step on, and training does not take that away."""

import pytest

_WHY = "needs git-skillmesh[train]: run scripts/test-training"
torch = pytest.importorskip("torch", reason=_WHY)
transformers = pytest.importorskip("transformers", reason=_WHY)


def test_what_was_read_before_comes_again() -> None:
    from training.tiny_base import let_copy

    torch.manual_seed(0)
    model = transformers.Qwen2ForCausalLM(
        transformers.Qwen2Config(
            vocab_size=500,
            hidden_size=192,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=4,
            tie_word_embeddings=False,
            rope_parameters={"rope_type": "default", "rope_theta": 1e8},
        )
    )
    put_back = let_copy(model)
    ids = torch.randperm(500)[:200]
    row = torch.cat([ids, ids])[None]

    def second() -> float:
        with torch.no_grad():
            scores = model(input_ids=row, use_cache=False).logits[0, 200:-1]
        return float(torch.nn.functional.cross_entropy(scores, row[0, 201:]))

    before = second()
    assert before < 5.6  # of 6.2 by chance
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(5):
        other = torch.randperm(500)[:100]
        both = torch.cat([other, other])[None]
        model(input_ids=both, labels=both, use_cache=False).loss.backward()
        optimizer.step()
        put_back()
        optimizer.zero_grad()
    assert second() < before
