"""The benchmarks: what Paygres costs and how long it takes, each figure beside a floor measured in the same run."""
