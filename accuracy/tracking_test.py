import unittest

import tracking


def lines(person, frames, left, counts=1):
    return [f"{frame},{person},{left + frame},10,20,50,{counts},-1,-1,-1" for frame in frames]


def score(truth, tracks, frames=range(1, 11), strict=False):
    return tracking.score(tracking.read_mot(truth), tracking.read_mot(tracks), list(frames), strict)


class Scoring(unittest.TestCase):
    def test_what_is_right_is_perfect(self):
        truth = lines(1, range(1, 11), 0) + lines(2, range(1, 11), 100)
        scored = score(truth, lines(8, range(1, 11), 0) + lines(9, range(1, 11), 101))
        self.assertEqual((scored["mota"], scored["idf1"], scored["switches"], scored["boxes"]), (1, 1, 0, 20))
        self.assertGreater(scored["hota"], 0.9)

    def test_a_miss_a_false_box_and_a_new_number_cost_one_each(self):
        tracks = lines(8, range(1, 6), 0) + lines(9, range(7, 11), 0) + ["3,7,300,10,20,50,1,-1,-1,-1"]
        scored = score(lines(1, range(1, 11), 0), tracks)
        self.assertEqual((scored["misses"], scored["false_positives"], scored["switches"]), (1, 1, 1))
        self.assertAlmostEqual(scored["mota"], 1 - 3 / 10)
        self.assertEqual(scored["where"]["missed_people"], {1: 1})
        self.assertEqual(scored["where"]["false_tracks"], {7: 1})

    def test_only_the_frames_named_count(self):
        scored = score(lines(1, range(1, 11), 0), lines(8, range(1, 11, 2), 0), range(1, 11, 2))
        self.assertEqual((scored["mota"], scored["frames"]), (1, 5))

    def test_people_who_do_not_count_may_be_found_unless_it_is_strict(self):
        truth = lines(1, range(1, 11), 0) + lines(2, range(1, 11), 100, counts=0)
        tracks = lines(8, range(1, 11), 0) + lines(9, range(1, 11), 100)
        self.assertEqual(score(truth, tracks)["mota"], 1)
        self.assertEqual(score(truth, tracks, strict=True)["false_positives"], 10)
        self.assertEqual(score(truth, lines(8, range(1, 11), 0))["misses"], 0)

    def test_a_short_line_is_named(self):
        with self.assertRaisesRegex(ValueError, "line 2"):
            tracking.read_mot(["1,9,1,2,3,4", "1,9"])


if __name__ == "__main__":
    unittest.main()
