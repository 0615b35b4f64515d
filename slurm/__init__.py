"""Where processes run: launching of MPI programs, pools of workers."""
