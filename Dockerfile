# The app for other people, see docs/serving.md:
#     docker build -t ser .
#     docker run -p 127.0.0.1:8501:8501 -v ser-cache:/cache ser
FROM python:3.12-slim

# The libraries that sound and figures need are in the packages; only PyTorch's large ones for GPUs are left out.
ENV PIP_NO_CACHE_DIR=1 PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu PYTHONUNBUFFERED=1
WORKDIR /app
COPY requirements.txt ./
RUN pip install --requirement requirements.txt

COPY . .
# All that it may write is /cache: features of clips, and the corpus where one is put there.
RUN useradd --create-home --uid 1000 ser && mkdir /cache && chown ser /cache
USER 1000
ENV SER_RUNS_DIR=/app/runs SER_CHECKPOINTS_DIR=/app/checkpoints SER_EVALUATIONS_DIR=/app/evaluations
ENV SER_CACHE_DIR=/cache/features CREMAD_DIR=/cache/crema-d XDG_CACHE_HOME=/cache PYTHONDONTWRITEBYTECODE=1
VOLUME /cache

# Within its container it answers every address: who reaches it is decided by what is published.
# It is told its name, as it would ask the internet for it otherwise.
ENV STREAMLIT_SERVER_ADDRESS=0.0.0.0 STREAMLIT_BROWSER_SERVER_ADDRESS=localhost STREAMLIT_SERVER_HEADLESS=true STREAMLIT_SERVER_FILE_WATCHER_TYPE=none
EXPOSE 8501
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://localhost:8501/' + os.environ.get('STREAMLIT_SERVER_BASE_URL_PATH', '').strip('/') + '/_stcore/health')"]
CMD ["streamlit", "run", "serve.py"]
