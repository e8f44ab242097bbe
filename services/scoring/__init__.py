"""What a score is: normalisation, bundles, classification, explanation, calibration, quality.

Pure but for `bundle.load` and `bundle.save`, which read and write a folder.
"""
