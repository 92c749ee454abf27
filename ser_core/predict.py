"""`python -m ser_core.predict`: see `ser_core.serving.predict_command`."""

from ser_core.serving.predict_command import main

if __name__ == "__main__":
    main(prog="python -m ser_core.predict")
