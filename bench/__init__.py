"""The benchmarks: what Paygres costs and how long it takes, beside a floor measured in the same run."""
