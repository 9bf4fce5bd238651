"""Interpolated Kneser–Ney n-grams over characters (Kneser & Ney 1995; Chen & Goodman 1998, § 2.7)."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Order:
    """Counts of the characters after the contexts of one length."""

    counts: dict[str, int]
    """Context and character → how often; below the highest order, after how many different characters."""
    totals: dict[str, int]
    """Context → their sum."""
    types: dict[str, int]
    """Context → different characters after it."""
    discount: float

    @classmethod
    def of(cls, counts: dict[str, int]) -> Self:
        """The discount is n₁ / (n₁ + 2 n₂), of the numbers of counts that are 1 and 2; n₁ at least 1."""
        totals, types = defaultdict[str, int](int), defaultdict[str, int](int)
        for gram, count in counts.items():
            totals[gram[:-1]] += count
            types[gram[:-1]] += 1
        seen = Counter(counts.values())
        once = max(1, seen[1])
        return cls(counts, totals, types, once / (once + 2 * seen[2]))


class KneserNey:
    """p(character | the n − 1 before) = (c − D)⁺ / c· + D · types / c· · p(character | one fewer before).

    Where a context was never seen it is left out; below no context is the uniform distribution.

    Args:
        text: what is learned.
        alphabet: all characters that there may be.
        n: of the highest order, at least 1.
    """

    def __init__(self, text: str, alphabet: Iterable[str], n: int = 5) -> None:
        self.alphabet, self.n = sorted({*alphabet}), n
        counts: dict[str, int] = Counter(map("".join, zip(*(text[i:] for i in range(n)))))
        orders = [Order.of(counts)]
        for _ in range(n - 1):
            counts = Counter(gram[1:] for gram in counts)  # each of another character before
            orders.append(Order.of(counts))
        self.orders = orders[::-1]

    def p(self, character: str, context: str) -> float:
        """The probability of a character after a context of any length."""
        found = 1 / len(self.alphabet)
        for length, order in enumerate(self.orders[: len(context) + 1]):
            known = context[len(context) - length :]
            total = order.totals.get(known)
            if total is None:
                break
            count = order.counts.get(known + character, 0)
            spread = order.discount * order.types[known]
            found = (max(0.0, count - order.discount) + spread * found) / total
        return found

    def bits(self, text: str) -> float:
        """−log₂ p of a text, each character after all before it."""
        reach = self.n - 1
        return -sum(math.log2(self.p(c, text[max(0, i - reach) : i])) for i, c in enumerate(text))
