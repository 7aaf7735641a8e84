#!/bin/sh
# Build the image, make a Flex Template of it, and start the stream on Dataflow.
#
#   PROJECT=newsroom REGION=europe-west1 BUCKET=newsroom-wirewatch deploy/dataflow/deploy.sh
#
# It is run in the repository's folder, with docker and gcloud logged in. wirewatch.yaml is the configuration; its stream
# has `runner: dataflow` and names the same image. Never run against the service itself: see docs/deploying.md.
set -eu
: "${PROJECT:?}" "${REGION:?}" "${BUCKET:?}"
CONFIG=${CONFIG:-wirewatch.yaml}
IMAGE=${IMAGE:-$REGION-docker.pkg.dev/$PROJECT/wirewatch/wirewatch:latest}
TEMPLATE=gs://$BUCKET/templates/wirewatch.json

docker build --platform linux/amd64 --tag "$IMAGE" .
docker push "$IMAGE"

gcloud storage cp "$CONFIG" "gs://$BUCKET/wirewatch.yaml"

gcloud dataflow flex-template build "$TEMPLATE" \
    --project "$PROJECT" \
    --image "$IMAGE" \
    --sdk-language PYTHON \
    --metadata-file deploy/dataflow/metadata.json

# The store's password: of a database user that may do no more than this, because whoever may see the job may see it.
gcloud dataflow flex-template run "wirewatch-$(date -u +%Y%m%d-%H%M%S)" \
    --project "$PROJECT" \
    --region "$REGION" \
    --template-file-gcs-location "$TEMPLATE" \
    --staging-location "gs://$BUCKET/staging" \
    --temp-location "gs://$BUCKET/temp" \
    --parameters "config=gs://$BUCKET/wirewatch.yaml" \
    --parameters "environment=WIREWATCH_STORE_PASSWORD=${WIREWATCH_STORE_PASSWORD:-}"
