"""The view `interventions`: what is changed inside the model, and the prediction before and after."""
