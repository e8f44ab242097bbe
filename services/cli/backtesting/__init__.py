"""`sluicegate policy backtest`: what it reads (`kafka`), goes by (`live`), does (`run`) and shows (`picture`)."""
