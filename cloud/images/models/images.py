"""Images, their tags and with whom they are shared. The bytes lie in the store under the image's id."""

from django.db import models

from cloud.core.models import id_field, new_uuid, uuid_field


class Image(models.Model):
    """An image. `properties` holds whatever a client adds, text to text."""

    pk_id = models.BigAutoField(primary_key=True)
    id = uuid_field(unique=True, default=new_uuid)
    name = models.CharField(max_length=255, null=True, blank=True)
    owner = id_field(db_index=True)
    status = models.CharField(max_length=20, default="queued", db_index=True)
    visibility = models.CharField(max_length=12, default="shared", db_index=True)
    disk_format = models.CharField(max_length=20, null=True, blank=True)
    container_format = models.CharField(max_length=20, null=True, blank=True)
    size = models.BigIntegerField(null=True, blank=True)
    virtual_size = models.BigIntegerField(null=True, blank=True)
    min_disk = models.IntegerField(default=0)
    min_ram = models.IntegerField(default=0)
    protected = models.BooleanField(default=False)
    os_hidden = models.BooleanField(default=False)
    checksum = models.CharField(max_length=32, null=True, blank=True)
    os_hash_algo = models.CharField(max_length=16, null=True, blank=True)
    os_hash_value = models.CharField(max_length=128, null=True, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name or self.id


class ImageTag(models.Model):
    """A tag of an image."""

    image = models.ForeignKey(Image, models.CASCADE, related_name="tag_rows")
    value = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "value"], name="one_image_tag")]

    def __str__(self) -> str:
        return self.value


class ImageMember(models.Model):
    """A project with which an image is shared: pending, accepted or rejected."""

    image = models.ForeignKey(Image, models.CASCADE, related_name="members")
    member = id_field(db_index=True)
    status = models.CharField(max_length=12, default="pending")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "member"], name="one_image_member")]

    def __str__(self) -> str:
        return f"{self.image} {self.member} {self.status}"
