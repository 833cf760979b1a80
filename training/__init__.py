"""How the shipped weights are made: training pairs, the static model, the ranker; see README.md."""
