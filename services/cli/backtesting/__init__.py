"""`sluicegate policy backtest`: what it reads (`kafka`, `clickhouse`), goes by (`live`), does (`run`) and
shows (`picture`).
"""
