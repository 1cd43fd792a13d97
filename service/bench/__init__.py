"""The measured figures of this machine, each beside the bound that it has to meet: `aeo bench`.

How they are measured, so that somebody else may doubt them properly:

- Server and client are processes of their own, each on one core; nothing else of ours runs.
- Every figure is the median of several rounds; what is compared is measured in turns, in one run.
- Traders, their records and the questions about them follow from a seed (`traders`); the mix is
  counted from the answers and printed. Keys are fresh, so no run meets a hash of the one before.
- The ledger is made by the product itself (`world`), through the publisher and the engine.
- A figure that misses its bound is printed as such.
"""
