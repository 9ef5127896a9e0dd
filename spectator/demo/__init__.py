"""Stories written for this project, which fill a new site so that it can be judged."""
