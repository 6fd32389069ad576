#!/bin/sh
# Prints the specification of the Flex template, to be put into Cloud Storage:
#   IMAGE=REGION-docker.pkg.dev/PROJECT/REPOSITORY/inkbeam:1 deploy/dataflow/template_spec.sh | gcloud storage cp - gs://BUCKET/inkbeam.json
# It can then be started by:
#   gcloud dataflow flex-template run NAME --region=REGION --template-file-gcs-location=gs://BUCKET/inkbeam.json \
#     --parameters=input=gs://BUCKET/scans,output=gs://BUCKET/tables,sdk_container_image=$IMAGE
set -eu
: "${IMAGE:?name the image, IMAGE=…}"
here=$(dirname "$0")
printf '{"image": "%s", "sdkInfo": {"language": "PYTHON"}, "metadata": ' "$IMAGE"
cat "$here/metadata.json"
printf '}\n'
