"""What `sluicegate policy tune` reads (`audits`) and shows (`picture`)."""
