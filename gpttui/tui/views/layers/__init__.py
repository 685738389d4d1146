"""The view `layers`: what each layer would predict: logit lens, ranks, logit attribution."""
