import itertools
import json
import random
import unittest

from ilids import match, read_alarms, score


def event(start, dwell=1.0):
    return {"person": 1, "start": start, "due": start + dwell, "end": start + 5}


class Reading(unittest.TestCase):
    LINES = [
        json.dumps({"clip_time_ms": ms, "phase": phase, "rule": rule})
        for ms, phase, rule in [(3000, "began", "a"), (1000, "began", "b"), (4000, "ended", "a")]
    ]

    def test_only_beginnings_count(self):
        self.assertEqual(read_alarms(self.LINES), [1.0, 3.0])

    def test_of_one_rule(self):
        self.assertEqual(read_alarms(self.LINES, "a"), [3.0])


class Scoring(unittest.TestCase):
    def test_within_ten_seconds_is_a_hit(self):
        self.assertEqual(score([10.0], [event(0)])["hits"], 1)
        late = score([10.1], [event(0)])
        self.assertEqual((late["hits"], late["misses"], late["false_alarms"]), (0, 1, 1))
        early = score([0.9], [event(1)])
        self.assertEqual((early["hits"], early["false"]), (0, [0.9]))

    def test_each_counts_once(self):
        twice = score([1.0, 2.0], [event(0)])
        self.assertEqual((twice["hits"], twice["false_alarms"], twice["f1"]), (1, 1, 2 / 3))
        one_for_two = score([2.0], [event(0), event(1)])
        self.assertEqual((one_for_two["hits"], one_for_two["misses"]), (1, 1))

    def test_delay_counts_from_the_end_of_the_dwell(self):
        self.assertEqual(score([1.2, 21.6], [event(0), event(20)])["median_delay_s"], 0.4)

    def test_what_is_due_after_the_end_counts_neither_way(self):
        late = event(38.5)
        self.assertEqual(score([], [late], until=39.0)["misses"], 0)
        scored = score([39.6], [late], until=39.0)
        self.assertEqual((scored["hits"], scored["false_alarms"], scored["events"]), (0, 0, 0))

    def test_what_is_doubtful_counts_neither_way(self):
        doubtful = event(0) | {"doubtful": True}
        for alarms in ([], [1.2]):
            scored = score(alarms, [doubtful, event(30)])
            self.assertEqual((scored["events"], scored["alarms"], scored["misses"]), (1, 0, 1))

    def test_an_alarm_is_of_a_sure_event_rather_than_of_a_doubtful_one(self):
        scored = score([2.0], [event(0), event(0.5) | {"doubtful": True}])
        self.assertEqual((scored["hits"], scored["misses"]), (1, 0))

    def test_nothing_at_all(self):
        self.assertIsNone(score([], [])["f1"])
        self.assertEqual(score([], [event(0)])["f1"], 0)

    def test_among_as_many_hits_the_least_delay(self):
        scored = score([1.2, 6.0], [event(0), event(1.1), event(5)])
        self.assertEqual([missed["start"] for missed in scored["missed"]], [0])
        self.assertEqual(scored["median_delay_s"], round((1.2 - 2.1 + 0.0) / 2, 3))

    def test_no_choice_matches_more(self):
        chance = random.Random(7)
        for _ in range(200):
            alarms = [chance.uniform(0, 40) for _ in range(4)]
            truth = [event(chance.uniform(0, 40)) for _ in range(4)]
            most = max(
                sum(e["start"] <= a <= e["start"] + 10 for a, e in zip(alarms, order))
                for order in itertools.permutations(truth)
            )
            self.assertEqual(len(match(alarms, truth)), most)


if __name__ == "__main__":
    unittest.main()
