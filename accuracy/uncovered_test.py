import unittest

from uncovered import measure, read_detections, read_truth, union_area, uncovered


class UncoveredTest(unittest.TestCase):
    def test_overlapping_boxes_count_once(self):
        self.assertEqual(union_area([(0, 0, 2, 2), (1, 1, 3, 3), (10, 10, 11, 11)]), 8)
        self.assertEqual(union_area([]), 0)

    def test_what_sticks_out_is_open(self):
        self.assertEqual(uncovered([(0, 0, 10, 10)], [(0, 0, 10, 9), (50, 50, 60, 60)]), (100, 10))
        self.assertEqual(uncovered([(0, 0, 10, 10), (5, 0, 10, 10)], [(-5, -5, 20, 20)]), (100, 0))
        self.assertEqual(uncovered([(0, 0, 10, 10)], []), (100, 100))

    def test_only_analysed_frames_count_and_fractions_become_pixels(self):
        truth = ["1,7,0,0,50,100,1,-1,-1,-1", "2,7,0,0,50,100,1,-1,-1,-1", "3,7,-10,0,20,100,0,-1,-1,-1"]
        covered = ['{"frame": 1, "covered": [[0, 0, 0.25, 1]]}', '{"frame": 3, "covered": []}']
        self.assertEqual(measure(read_truth(truth), covered, 100, 100), (6000, 3500, 2))

    def test_detections_stand_in_for_a_truth_there_is_not(self):
        found = [
            '{"frame": 1, "detections": [{"class": "person", "score": 0.5, "box": [0, 0, 0.5, 1]},'
            ' {"class": "person", "score": 0.1, "box": [0.5, 0, 1, 1]}, {"class": "car", "score": 0.9, "box": [0, 0, 1, 1]}]}',
            '{"frame": 2, "detections": []}',
        ]
        covered = ['{"frame": 1, "covered": [[0, 0, 0.5, 0.5]]}', '{"frame": 2, "covered": []}']
        self.assertEqual(measure(read_detections(found), covered, 1, 1), (0.5, 0.25, 1))


if __name__ == "__main__":
    unittest.main()
