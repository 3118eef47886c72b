"""What must stay quick, as ratios: ours and a floor take turns within one run (docs/benchmarks.md)."""
