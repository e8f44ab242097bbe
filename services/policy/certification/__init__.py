"""What stands behind `certify`: audited labels as arrays (`labels`), and the tests of the two risks (`testing`)."""
