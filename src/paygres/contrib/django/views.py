"""Where the server's messages come in: `path("hooks/paygres/", paygres.contrib.django.views.messages)`."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from paygres.client.messages import SignatureError, verify_message
from paygres.contrib.django.models import ReceivedMessage
from paygres.contrib.django.options import option
from paygres.contrib.django.signals import BY_TYPE


@csrf_exempt
@require_POST
def messages(request: HttpRequest) -> HttpResponse:
    """Verifies with PAYGRES["WEBHOOK_SECRET"], sends the signal of its type once; 400 when it is not ours."""
    try:
        message = verify_message(option("WEBHOOK_SECRET") or "", request.headers, request.body)
    except SignatureError as error:
        return JsonResponse({"error": error.error, "message": error.message, "statusCode": 400}, status=400)
    with transaction.atomic():
        _, new = ReceivedMessage.objects.get_or_create(id=message.id, defaults={"type": message.type})
        if new:
            BY_TYPE[message.type].send(sender=ReceivedMessage, message=message)
    return JsonResponse({"received": True, "handled": new})
